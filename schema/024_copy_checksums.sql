-- 024_copy_checksums.sql - the copy of a day by instrument has checksums, so that what was altered or cut in it is found: by whoever reads the chunk, and by
-- tocsin verify. Nothing that is stored is touched here: copies that are there have none until the service, or tocsin compact, makes them anew from the
-- chunks in the order of seq, day by day and throttled as the first time.

ALTER TABLE tocsin.trade_chunk ADD COLUMN checksum bigint;
COMMENT ON COLUMN tocsin.trade_chunk.checksum IS 'tocsin.trade_chunk_sum of the other columns; null: written by a program before schema version 24.';
ALTER TABLE tocsin.tick_day ADD COLUMN trades bigint;
COMMENT ON COLUMN tocsin.tick_day.trades IS 'In its chunks so far; null: the copy has no checksums, and will be made anew.';

-- Of the text of the columns: the same on every machine and in every version of PostgreSQL.
CREATE FUNCTION tocsin.trade_chunk_sum(instrument_id integer, from_ns bigint, to_ns bigint, upto_seq bigint, trades integer, seq_base bigint, event_unit bigint, price_unit bigint,
    size_unit bigint, seq integer[], seq_wide bigint[], event integer[], event_wide bigint[], price integer[], price_wide bigint[], size integer[], size_wide bigint[], kind integer[])
RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ('x' || substr(md5(instrument_id || '|' || from_ns || '|' || to_ns || '|' || upto_seq || '|' || trades || '|' || seq_base || '|' || event_unit || '|' || price_unit || '|' || size_unit
        || '|' || coalesce(seq::text, '') || '|' || coalesce(seq_wide::text, '') || '|' || coalesce(event::text, '') || '|' || coalesce(event_wide::text, '')
        || '|' || coalesce(price::text, '') || '|' || coalesce(price_wide::text, '') || '|' || coalesce(size::text, '') || '|' || coalesce(size_wide::text, '')
        || '|' || coalesce(kind::text, '')), 1, 16))::bit(64)::bigint;
COMMENT ON FUNCTION tocsin.trade_chunk_sum IS 'The checksum of a row of tocsin.trade_chunk.';
CREATE FUNCTION tocsin.whole_chunk(p_seq integer[], p_checksum bigint, p_instrument_id integer, p_from_ns bigint, p_whole boolean) RETURNS integer[]
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    IF p_whole THEN RETURN p_seq; END IF;
    RAISE EXCEPTION 'tocsin.trade_chunk: the chunk of instrument % with from_ns % is damaged: it is not what its checksum % is of', p_instrument_id, p_from_ns, p_checksum
        USING ERRCODE = 'data_corrupted', HINT = format('It is a copy. UPDATE tocsin.tick_day SET trades = NULL WHERE from_ns = %s: the service, or tocsin compact, makes it anew.',
            (SELECT max(d.from_ns) FROM tocsin.tick_day d WHERE d.from_ns <= p_from_ns));
END $$;
COMMENT ON FUNCTION tocsin.whole_chunk(integer[], bigint, integer, bigint, boolean) IS 'p_seq of a chunk that is whole; of another the reader is told, and gets nothing.';
GRANT EXECUTE ON FUNCTION tocsin.trade_chunk_sum, tocsin.whole_chunk TO tocsin_engine, tocsin_api;

CREATE OR REPLACE FUNCTION tocsin.compact_trades(p_from bigint, p_to bigint, p_upto bigint) RETURNS bigint
LANGUAGE sql SET search_path = '' AS $$
    WITH t AS (
        SELECT x.instrument_id, x.seq, x.event_ns, x.price_e8, x.size_e8, x.day_or_kind,
               (row_number() OVER (PARTITION BY x.instrument_id ORDER BY x.event_ns, x.seq) - 1) / 4096 AS part
        FROM tocsin.ticks(p_from, p_to) x WHERE x.day_or_kind <= -2147483646 AND x.seq <= p_upto
    ), r AS (
        SELECT t.instrument_id, t.part, min(t.event_ns) AS from_ns, max(t.event_ns) AS to_ns, count(*)::integer AS trades, min(t.seq) AS seq_base,
               max(t.seq) - min(t.seq) <= 2147483647 AS seq_fits, bool_and(t.day_or_kind = -2147483648) AS plain,
               CASE WHEN bool_and(t.event_ns % 1000000 = 0) THEN 1000000 WHEN bool_and(t.event_ns % 1000 = 0) THEN 1000 ELSE 1 END AS event_unit,
               CASE WHEN bool_and(t.price_e8 % 1000000 = 0) THEN 1000000 WHEN bool_and(t.price_e8 % 10000 = 0) THEN 10000 ELSE 1 END AS price_unit,
               CASE WHEN bool_and(t.size_e8 % 100000000 = 0) THEN 100000000 WHEN bool_and(t.size_e8 % 10000 = 0) THEN 10000 ELSE 1 END AS size_unit,
               min(t.price_e8) AS price_low, max(t.price_e8) AS price_high, min(t.size_e8) AS size_low, max(t.size_e8) AS size_high
        FROM t GROUP BY t.instrument_id, t.part
    ), f AS (
        SELECT r.*, (r.to_ns - r.from_ns) / r.event_unit <= 2147483647 AS event_fits,
               r.price_low >= -2147483647 * r.price_unit::bigint AND r.price_high <= 2147483647 * r.price_unit::bigint AS price_fits,
               r.size_low >= -2147483647 * r.size_unit::bigint AND r.size_high <= 2147483647 * r.size_unit::bigint AS size_fits
        FROM r
    ), made AS (
        INSERT INTO tocsin.trade_chunk (instrument_id, from_ns, to_ns, upto_seq, trades, seq_base, event_unit, price_unit, size_unit,
                                        seq, seq_wide, event, event_wide, price, price_wide, size, size_wide, kind, checksum)
        SELECT c.*, tocsin.trade_chunk_sum(c.instrument_id, c.from_ns, c.to_ns, c.upto_seq, c.trades, c.seq_base, c.event_unit, c.price_unit, c.size_unit,
                                           c.seq, c.seq_wide, c.event, c.event_wide, c.price, c.price_wide, c.size, c.size_wide, c.kind)
        FROM (SELECT f.instrument_id, f.from_ns, f.to_ns, p_upto AS upto_seq, f.trades, f.seq_base, f.event_unit, f.price_unit, f.size_unit, a.seq, a.seq_wide, a.event, a.event_wide,
               a.price, a.price_wide, a.size, a.size_wide, a.kind
        FROM f JOIN (
            SELECT t.instrument_id, t.part,
                   CASE WHEN bool_and(g.seq_fits) THEN array_agg(CASE WHEN g.seq_fits THEN (t.seq - g.seq_base)::integer END ORDER BY t.event_ns, t.seq) END AS seq,
                   CASE WHEN NOT bool_and(g.seq_fits) THEN array_agg(t.seq ORDER BY t.event_ns, t.seq) END AS seq_wide,
                   CASE WHEN bool_and(g.event_fits) THEN array_agg(CASE WHEN g.event_fits THEN ((t.event_ns - g.from_ns) / g.event_unit)::integer END ORDER BY t.event_ns, t.seq) END AS event,
                   CASE WHEN NOT bool_and(g.event_fits) THEN array_agg(t.event_ns ORDER BY t.event_ns, t.seq) END AS event_wide,
                   CASE WHEN bool_and(g.price_fits) THEN array_agg(CASE WHEN g.price_fits THEN (t.price_e8 / g.price_unit)::integer END ORDER BY t.event_ns, t.seq) END AS price,
                   CASE WHEN NOT bool_and(g.price_fits) THEN array_agg(t.price_e8 ORDER BY t.event_ns, t.seq) END AS price_wide,
                   CASE WHEN bool_and(g.size_fits) THEN array_agg(CASE WHEN g.size_fits THEN (t.size_e8 / g.size_unit)::integer END ORDER BY t.event_ns, t.seq) END AS size,
                   CASE WHEN NOT bool_and(g.size_fits) THEN array_agg(t.size_e8 ORDER BY t.event_ns, t.seq) END AS size_wide,
                   CASE WHEN NOT bool_and(g.plain) THEN array_agg(t.day_or_kind ORDER BY t.event_ns, t.seq) END AS kind
            FROM t JOIN f g USING (instrument_id, part) GROUP BY t.instrument_id, t.part) a USING (instrument_id, part)) c
        RETURNING trades
    )
    SELECT coalesce(sum(m.trades), 0)::bigint FROM made m
$$;

CREATE OR REPLACE FUNCTION tocsin.compact_next(p_over timestamptz) RETURNS SETOF tocsin.tick_day
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    next record;
    again tocsin.tick_day;
BEGIN
    RETURN QUERY SELECT * FROM tocsin.tick_day d WHERE d.done_ns < d.to_ns ORDER BY d.from_ns LIMIT 1;
    IF FOUND THEN RETURN; END IF;
    SELECT p.first_day, p.suffix, p.first_ns, p.last_ns INTO next FROM (
        SELECT s.suffix, s.first_day, (s.first_day - date '1970-01-01')::bigint * 86400000000000 AS first_ns,
               ((CASE length(s.suffix) WHEN 8 THEN s.first_day + 1 ELSE (s.first_day + interval '1 month')::date END) - date '1970-01-01')::bigint * 86400000000000 AS last_ns
        FROM (SELECT substr(c.relname, 6) AS suffix, to_date(rpad(substr(c.relname, 6), 8, '01'), 'YYYYMMDD') AS first_day
              FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'tocsin.tick_row'::regclass) s) p
    WHERE p.last_ns <= (extract(epoch FROM p_over) * 1000000000)::bigint AND NOT EXISTS (SELECT FROM tocsin.tick_day d WHERE d.from_ns = p.first_ns)
    ORDER BY p.first_ns LIMIT 1;
    IF NOT FOUND THEN                                                     -- a copy without checksums is made anew from what has some
        UPDATE tocsin.tick_day d SET done_ns = d.from_ns, upto_seq = s.last_seq, trades = 0 FROM tocsin.shard s
        WHERE s.shard_id = 0 AND d.from_ns = (SELECT min(x.from_ns) FROM tocsin.tick_day x WHERE x.trades IS NULL) AND d.trades IS NULL RETURNING d.* INTO again;
        IF NOT FOUND THEN RETURN; END IF;
        DELETE FROM tocsin.trade_chunk c WHERE c.from_ns >= again.from_ns AND c.from_ns < again.to_ns;
        RETURN NEXT again;
        RETURN;
    END IF;
    PERFORM tocsin.ensure_partition('tick_row', next.first_day);          -- an older program made it without that of the chunks
    EXECUTE format('CREATE TABLE IF NOT EXISTS tocsin.%I PARTITION OF tocsin.trade_chunk FOR VALUES FROM (%s) TO (%s)', 'trade_chunk_' || next.suffix, next.first_ns, next.last_ns);
    INSERT INTO tocsin.tick_day (from_ns, to_ns, upto_seq, done_ns, trades)
    SELECT next.first_ns, next.last_ns, s.last_seq, next.first_ns, 0 FROM tocsin.shard s WHERE s.shard_id = 0 ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT * FROM tocsin.tick_day d WHERE d.from_ns = next.first_ns;
END $$;

-- What verify asks of copies that are read: each chunk that is not what its checksum is of, and each day that has another number of trades than were written.
CREATE FUNCTION tocsin.damaged_copies(p_after bigint) RETURNS TABLE (upto_seq bigint, what text, stored text, now text)
LANGUAGE sql STABLE SET search_path = '' AS $$
    SELECT c.upto_seq, format('trade_chunk of instrument %s with from_ns %s', c.instrument_id, c.from_ns), c.checksum::text, s.sum::text
    FROM tocsin.tick_day d JOIN tocsin.trade_chunk c ON c.from_ns >= d.from_ns AND c.from_ns < d.to_ns CROSS JOIN LATERAL tocsin.trade_chunk_sum(
            c.instrument_id, c.from_ns, c.to_ns, c.upto_seq, c.trades, c.seq_base, c.event_unit, c.price_unit, c.size_unit,
            c.seq, c.seq_wide, c.event, c.event_wide, c.price, c.price_wide, c.size, c.size_wide, c.kind) AS s(sum)
    WHERE d.done_ns = d.to_ns AND d.trades IS NOT NULL AND d.upto_seq > p_after AND c.checksum IS DISTINCT FROM s.sum
    UNION ALL
    SELECT d.upto_seq, format('trades by instrument of the day with from_ns %s', d.from_ns), d.trades::text, n.trades::text
    FROM tocsin.tick_day d CROSS JOIN LATERAL (SELECT coalesce(sum(c.trades), 0) AS trades FROM tocsin.trade_chunk c
        WHERE c.from_ns >= d.from_ns AND c.from_ns < d.to_ns AND c.upto_seq = d.upto_seq) n
    WHERE d.done_ns = d.to_ns AND d.upto_seq > p_after AND d.trades <> n.trades
$$;
COMMENT ON FUNCTION tocsin.damaged_copies(bigint) IS 'What in copies by instrument with upto_seq > p_after is not as it was written.';
GRANT EXECUTE ON FUNCTION tocsin.damaged_copies(bigint) TO tocsin_engine;

-- ---- read back: as in 020, and each chunk that is unpacked is held against its checksum ----
-- Each branch is joined for itself, so that a symbol that is asked for reaches the index of the first. part_ns and last_ns are what partitions and chunks go by.
CREATE OR REPLACE VIEW tocsin.trade WITH (security_invoker = true) AS
    SELECT coalesce(u.seq_wide, c.seq_base + u.seq) AS seq, coalesce(u.event_wide, c.from_ns + c.event_unit * u.event) AS event_ns, i.symbol,
           coalesce(u.price_wide, c.price_unit * u.price) AS price_e8, coalesce(u.size_wide, c.size_unit * u.size) AS size_e8,
           coalesce(u.kind, -2147483648) AS kind, c.from_ns AS part_ns, c.to_ns AS last_ns
    FROM tocsin.trade_chunk c JOIN tocsin.instrument i USING (instrument_id)
    CROSS JOIN LATERAL unnest(
        tocsin.whole_chunk(c.seq, c.checksum, c.instrument_id, c.from_ns, c.checksum IS NULL OR c.checksum = tocsin.trade_chunk_sum(c.instrument_id, c.from_ns, c.to_ns, c.upto_seq, c.trades, c.seq_base, c.event_unit, c.price_unit, c.size_unit,
            c.seq, c.seq_wide, c.event, c.event_wide, c.price, c.price_wide, c.size, c.size_wide, c.kind)),
        c.seq_wide, c.event, c.event_wide, c.price, c.price_wide, c.size, c.size_wide, c.kind)
        AS u(seq, seq_wide, event, event_wide, price, price_wide, size, size_wide, kind)
    WHERE c.upto_seq = tocsin.by_instrument(c.from_ns)
    UNION ALL
    SELECT r.seq, r.event_ns, i.symbol, r.price_e8, r.size_e8, r.day_or_kind, r.event_ns, r.event_ns
    FROM tocsin.tick_row r JOIN tocsin.instrument i USING (instrument_id)
    WHERE r.day_or_kind <= -2147483646 AND r.seq > coalesce(tocsin.by_instrument(r.event_ns), 0)
    UNION ALL
    SELECT t.seq, t.event_ns, i.symbol, t.price_e8, t.size_e8, t.day_or_kind, t.from_ns, t.to_ns
    FROM tocsin.tick_in_chunk t JOIN tocsin.instrument i USING (instrument_id)
    WHERE t.kind_from <= -2147483646 AND t.day_or_kind <= -2147483646 AND t.first_seq > coalesce(tocsin.by_instrument(t.from_ns), 0);
