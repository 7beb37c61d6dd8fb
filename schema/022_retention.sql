-- 022_retention.sql - old rows may go, a partition at a time, and it is known up to where some have gone.

CREATE TABLE tocsin.retained (
    kind      text PRIMARY KEY CHECK (kind IN ('tick', 'reading')),
    upto_seq  bigint NOT NULL,
    before_ns bigint NOT NULL,
    at        timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  tocsin.retained IS 'What retention has dropped (tocsin retain). Kinds without a row are all there.';
COMMENT ON COLUMN tocsin.retained.upto_seq IS 'Of the rows up to this seq some are gone: a replay begins at a checkpoint behind it.';
COMMENT ON COLUMN tocsin.retained.before_ns IS 'Those of event times before this.';
GRANT SELECT ON tocsin.retained TO tocsin_engine;

CREATE FUNCTION tocsin.old_partitions(p_kind text, p_before_ns bigint) RETURNS TABLE (part text, until_ns bigint, last_seq bigint, bytes bigint)
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
    r record;
BEGIN
    FOR r IN
        SELECT c.oid, c.relname::text AS part, p.relname::text AS parent,
               substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid) from 'FROM \(''(-?\d+)''\)')::bigint AS from_ns,
               substring(pg_catalog.pg_get_expr(c.relpartbound, c.oid) from 'TO \(''(-?\d+)''\)')::bigint AS until_ns,
               substring(pg_catalog.pg_get_partkeydef(p.oid) from '\((\w+)\)') AS key,
               (SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('last_seq', 'seq')
                AND a.atttypid = 'bigint'::regtype
                ORDER BY a.attname LIMIT 1) AS seq                       -- a row that is a chunk of several has last_seq
        FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
        WHERE p.relnamespace = 'tocsin'::regnamespace AND p.relkind = 'p' AND (p.relname = p_kind OR p.relname LIKE p_kind || '\_%' OR p_kind = 'tick' AND p.relname = 'trade_chunk')
    LOOP
        CONTINUE WHEN r.until_ns IS NULL OR r.until_ns > p_before_ns;
        part := r.part;
        until_ns := r.until_ns;
        bytes := pg_catalog.pg_total_relation_size(r.oid);
        last_seq := 0;                                                   -- a copy of others, by which nobody replays
        IF r.seq IS NOT NULL THEN EXECUTE format('SELECT coalesce(max(%I), 0) FROM tocsin.%I WHERE %I >= %s AND %I < %s',   -- by the parent, on which the caller has its rights
                       r.seq, r.parent, r.key, r.from_ns, r.key, r.until_ns) INTO last_seq; END IF;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION tocsin.old_partitions(text, bigint) IS 'Partitions of tick or reading whose event times all lie before p_before_ns, with the greatest seq in each.';

CREATE FUNCTION tocsin.drop_partition(p_kind text, p_part text, p_until_ns bigint, p_last_seq bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    seq bigint;
    covered bigint;
BEGIN
    IF p_kind NOT IN ('tick', 'reading') OR NOT EXISTS (SELECT FROM tocsin.old_partitions(p_kind, p_until_ns) o WHERE o.part = p_part) THEN
        RAISE EXCEPTION 'no such partition of %: %', p_kind, p_part;
    END IF;
    EXECUTE format('LOCK TABLE tocsin.%I IN ACCESS EXCLUSIVE MODE', p_part);         -- no row comes between the look and the end
    SELECT greatest(o.last_seq, p_last_seq) INTO seq FROM tocsin.old_partitions(p_kind, p_until_ns) o WHERE o.part = p_part;
    SELECT max(s.seq) INTO covered FROM tocsin.snapshot s WHERE s.kept AND s.state IS NULL;
    IF covered IS NULL OR seq > covered THEN
        RAISE EXCEPTION '% holds record %, which is after the newest checkpoint (%)', p_part, seq, coalesce(covered::text, 'none') USING ERRCODE = 'TF002';
    END IF;
    EXECUTE format('DROP TABLE tocsin.%I', p_part);
    IF p_part LIKE 'trade\_chunk\_%' THEN DELETE FROM tocsin.tick_day d WHERE d.to_ns = p_until_ns; END IF;   -- what is no longer copied is not read as copied
    INSERT INTO tocsin.retained AS t (kind, upto_seq, before_ns) VALUES (p_kind, seq, p_until_ns)
        ON CONFLICT (kind) DO UPDATE SET upto_seq = greatest(t.upto_seq, excluded.upto_seq), before_ns = greatest(t.before_ns, excluded.before_ns), at = now();
    RETURN seq;
END $$;
COMMENT ON FUNCTION tocsin.drop_partition(text, text, bigint, bigint) IS 'Drops it, unless the newest kept checkpoint does not cover it (TF002). p_last_seq: as tocsin.old_partitions said to who may read its rows.';
REVOKE ALL ON FUNCTION tocsin.drop_partition(text, text, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.drop_partition(text, text, bigint, bigint) TO tocsin_engine;
