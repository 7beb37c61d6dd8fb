-- 002_lighter_indexes.sql - what an index costs is paid by every tick and alert: one BRIN over time and seq instead of one each
-- (a BRIN insertion is a third of what COPY does for a tick), and no index on an alert's rule, by which nothing looks.

DROP INDEX tocsin.alert_rule;

CREATE OR REPLACE FUNCTION tocsin.ensure_partition(parent text, day date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    from_day date := day;
    to_day date := day + 1;
    part text := format('%s_%s', parent, to_char(day, 'YYYYMMDD'));
    month text := format('%s_%s', parent, to_char(day, 'YYYYMM'));
BEGIN
    IF parent NOT IN ('tick', 'reading') THEN RAISE EXCEPTION 'no partitioned table %', parent; END IF;
    IF to_regclass(format('tocsin.%I', part)) IS NOT NULL THEN RETURN part; END IF;
    IF to_regclass(format('tocsin.%I', month)) IS NOT NULL THEN RETURN month; END IF;
    IF day < current_date - 45 AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = format('tocsin.%I', parent)::regclass AND c.relname LIKE month || '__') THEN
        part := month;
        from_day := date_trunc('month', day)::date;
        to_day := (date_trunc('month', day) + interval '1 month')::date;
    END IF;
    EXECUTE format('CREATE TABLE tocsin.%I PARTITION OF tocsin.%I FOR VALUES FROM (%s) TO (%s)', part, parent,
                   (from_day - date '1970-01-01')::bigint * 86400000000000, (to_day - date '1970-01-01')::bigint * 86400000000000);
    EXECUTE format('CREATE INDEX ON tocsin.%I USING brin (event_ns, seq)', part);       -- either column alone uses it as well
    IF parent = 'reading' THEN
        EXECUTE format('CREATE INDEX ON tocsin.%I (series_id, event_ns, seq)', part);
        EXECUTE format('ALTER TABLE tocsin.%I ENABLE ROW LEVEL SECURITY', part);   -- for whoever names the partition itself
        EXECUTE format('ALTER TABLE tocsin.%I FORCE ROW LEVEL SECURITY', part);
        EXECUTE format('CREATE POLICY engine ON tocsin.%I TO tocsin_engine USING (true) WITH CHECK (true)', part);
    END IF;
    EXECUTE format('GRANT SELECT, INSERT ON tocsin.%I TO tocsin_engine', part);
    RETURN part;
END $$;
