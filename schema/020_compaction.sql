-- 020_compaction.sql - a day that is over is written once more by instrument, so that one symbol's day is a few rows; and its ticks that came few at a time
-- go into chunks. The chunks in the order of seq stay: they are what is replayed. A copy by instrument can be dropped and made again at any time.

CREATE TABLE tocsin.tick_day (
    from_ns  bigint PRIMARY KEY,
    to_ns    bigint NOT NULL,
    upto_seq bigint NOT NULL,
    done_ns  bigint NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  tocsin.tick_day IS 'The partitions of ticks that are, or are being, written by instrument: those of event_ns from from_ns until before to_ns.';
COMMENT ON COLUMN tocsin.tick_day.upto_seq IS 'Ticks of greater seq came later: they are in the order of seq alone.';
COMMENT ON COLUMN tocsin.tick_day.done_ns IS 'So far it is done; to_ns: all of it, and only then anybody reads of it.';
GRANT SELECT, INSERT, UPDATE, DELETE ON tocsin.tick_day TO tocsin_engine;
GRANT SELECT ON tocsin.tick_day TO tocsin_api;

CREATE TABLE tocsin.trade_chunk (
    instrument_id integer NOT NULL,
    from_ns       bigint NOT NULL,
    to_ns         bigint NOT NULL,
    upto_seq      bigint NOT NULL,
    trades        integer NOT NULL,
    seq_base      bigint NOT NULL,
    event_unit    bigint NOT NULL,
    price_unit    bigint NOT NULL,
    size_unit     bigint NOT NULL,
    seq           integer[],
    seq_wide      bigint[],
    event         integer[],
    event_wide    bigint[],
    price         integer[],
    price_wide    bigint[],
    size          integer[],
    size_wide     bigint[],
    kind          integer[]
) PARTITION BY RANGE (from_ns);
COMMENT ON TABLE  tocsin.trade_chunk IS 'Trades of one instrument and one UTC day in the order of time: a copy of those in tocsin.tick, for questions about one instrument. tocsin.trade reads it.';
COMMENT ON COLUMN tocsin.trade_chunk.upto_seq IS 'That of its tocsin.tick_day.';
COMMENT ON COLUMN tocsin.trade_chunk.seq IS 'Counted from seq_base; event: event_unit ns each, from from_ns; price: price_unit at 1e-8 each; size likewise. Where an integer would not do the array with _wide has it whole.';
COMMENT ON COLUMN tocsin.trade_chunk.kind IS 'day_or_kind; null: all are -2147483648.';
CREATE INDEX trade_chunk_instrument ON tocsin.trade_chunk (instrument_id, from_ns);
GRANT SELECT, INSERT, UPDATE, DELETE ON tocsin.trade_chunk TO tocsin_engine;
GRANT SELECT ON tocsin.trade_chunk TO tocsin_api;
DO $$
DECLARE c text;
BEGIN
    FOREACH c IN ARRAY ARRAY['seq', 'seq_wide', 'event', 'event_wide', 'price', 'price_wide', 'size', 'size_wide', 'kind'] LOOP
        EXECUTE format('ALTER TABLE tocsin.trade_chunk ALTER COLUMN %I SET COMPRESSION lz4', c);
    END LOOP;
EXCEPTION WHEN feature_not_supported THEN
    NULL; -- pglz
END $$;

-- ---- what the service does, piece by piece ----
CREATE FUNCTION tocsin.compact_next(p_over timestamptz) RETURNS SETOF tocsin.tick_day
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    next record;
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
    IF NOT FOUND THEN RETURN; END IF;
    PERFORM tocsin.ensure_partition('tick_row', next.first_day);          -- an older program made it without that of the chunks
    EXECUTE format('CREATE TABLE IF NOT EXISTS tocsin.%I PARTITION OF tocsin.trade_chunk FOR VALUES FROM (%s) TO (%s)', 'trade_chunk_' || next.suffix, next.first_ns, next.last_ns);
    INSERT INTO tocsin.tick_day (from_ns, to_ns, upto_seq, done_ns)
    SELECT next.first_ns, next.last_ns, s.last_seq, next.first_ns FROM tocsin.shard s WHERE s.shard_id = 0 ON CONFLICT DO NOTHING;
    RETURN QUERY SELECT * FROM tocsin.tick_day d WHERE d.from_ns = next.first_ns;
END $$;
COMMENT ON FUNCTION tocsin.compact_next(timestamptz) IS 'The day of ticks that is to be written by instrument next, or in the middle of it; none: all that were over by then are done.';
REVOKE ALL ON FUNCTION tocsin.compact_next(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.compact_next(timestamptz) TO tocsin_engine;

CREATE FUNCTION tocsin.compact_trades(p_from bigint, p_to bigint, p_upto bigint) RETURNS bigint
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
                                        seq, seq_wide, event, event_wide, price, price_wide, size, size_wide, kind)
        SELECT f.instrument_id, f.from_ns, f.to_ns, p_upto, f.trades, f.seq_base, f.event_unit, f.price_unit, f.size_unit, a.seq, a.seq_wide, a.event, a.event_wide,
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
            FROM t JOIN f g USING (instrument_id, part) GROUP BY t.instrument_id, t.part) a USING (instrument_id, part)
        RETURNING trades
    )
    SELECT coalesce(sum(m.trades), 0)::bigint FROM made m
$$;
COMMENT ON FUNCTION tocsin.compact_trades(bigint, bigint, bigint) IS 'Writes the trades of p_from <= event_ns < p_to and seq <= p_upto by instrument; how many.';
REVOKE ALL ON FUNCTION tocsin.compact_trades(bigint, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.compact_trades(bigint, bigint, bigint) TO tocsin_engine;

-- ---- read back ----
CREATE FUNCTION tocsin.by_instrument(p_ns bigint) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_ns < d.to_ns AND d.done_ns = d.to_ns THEN d.upto_seq ELSE 0 END FROM tocsin.tick_day d WHERE d.from_ns <= p_ns ORDER BY d.from_ns DESC LIMIT 1
$$;
COMMENT ON FUNCTION tocsin.by_instrument(bigint) IS 'Up to which seq the trades of that moment are in tocsin.trade_chunk; null or 0: none.';
GRANT EXECUTE ON FUNCTION tocsin.by_instrument(bigint) TO tocsin_engine, tocsin_api;

-- Each branch is joined for itself, so that a symbol that is asked for reaches the index of the first. part_ns and last_ns are what partitions and chunks go by.
CREATE VIEW tocsin.trade WITH (security_invoker = true) AS
    SELECT coalesce(u.seq_wide, c.seq_base + u.seq) AS seq, coalesce(u.event_wide, c.from_ns + c.event_unit * u.event) AS event_ns, i.symbol,
           coalesce(u.price_wide, c.price_unit * u.price) AS price_e8, coalesce(u.size_wide, c.size_unit * u.size) AS size_e8,
           coalesce(u.kind, -2147483648) AS kind, c.from_ns AS part_ns, c.to_ns AS last_ns
    FROM tocsin.trade_chunk c JOIN tocsin.instrument i USING (instrument_id)
    CROSS JOIN LATERAL unnest(c.seq, c.seq_wide, c.event, c.event_wide, c.price, c.price_wide, c.size, c.size_wide, c.kind)
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
COMMENT ON VIEW tocsin.trade IS 'Trades, each once: of days written by instrument from there.';
GRANT SELECT ON tocsin.trade TO tocsin_engine, tocsin_api;

CREATE OR REPLACE VIEW market.trade WITH (security_invoker = true) AS
    SELECT t.seq, market.at(t.event_ns) AS at, t.symbol, (t.price_e8 / 1e8::numeric)::numeric(20, 8) AS price, (t.size_e8 / 1e8::numeric)::numeric(20, 8) AS size,
           t.kind = -2147483647 AS late, t.kind = -2147483646 AS extended
    FROM tocsin.trade t;
CREATE OR REPLACE FUNCTION market.trades(p_symbol text, p_from timestamptz, p_to timestamptz)
    RETURNS TABLE (seq bigint, at timestamptz, symbol text, price numeric, size numeric, late boolean, extended boolean)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000 AS $$
    SELECT t.seq, market.at(t.event_ns), t.symbol, (t.price_e8 / 1e8::numeric)::numeric(20, 8), (t.size_e8 / 1e8::numeric)::numeric(20, 8),
           t.kind = -2147483647, t.kind = -2147483646
    FROM tocsin.trade t
    WHERE t.symbol = p_symbol AND t.part_ns >= tocsin.midnight(market.ns(p_from)) AND t.part_ns < market.ns(p_to) AND t.last_ns >= market.ns(p_from)
      AND t.event_ns >= market.ns(p_from) AND t.event_ns < market.ns(p_to)
$$;
