-- 017_tick_chunks.sql - ticks as rows of arrays. What a turn brings of one day is one row for every few thousand of them, once there are enough; a few
-- are rows as before. A tick is in exactly one of tocsin.tick_row and tocsin.tick_chunk, and the view tocsin.tick has them all.
-- Nothing that is stored is touched: the table is renamed, and keeps its partitions.

ALTER TABLE tocsin.tick RENAME TO tick_row;
COMMENT ON TABLE tocsin.tick_row IS 'Trades and official closes that came few at a time, partitioned by day of event time. tocsin.tick has these and those in chunks.';

CREATE TABLE tocsin.tick_chunk (
    first_seq     bigint NOT NULL,
    last_seq      bigint NOT NULL,
    ticks         integer NOT NULL,
    from_ns       bigint NOT NULL,
    to_ns         bigint NOT NULL,
    kind_from     integer NOT NULL,
    kind_to       integer NOT NULL,
    checksum      bigint NOT NULL,
    event_unit    bigint NOT NULL,
    received_base bigint NOT NULL,
    received_unit bigint NOT NULL,
    price_base    bigint NOT NULL,
    price_unit    bigint NOT NULL,
    size_base     bigint NOT NULL,
    size_unit     bigint NOT NULL,
    seq           integer[],
    instrument    integer[] NOT NULL,
    kind          integer[],
    event         integer[],
    received      integer[],
    price         integer[],
    size          integer[],
    event_wide    bigint[],
    received_wide bigint[],
    price_wide    bigint[],
    size_wide     bigint[],
    run_at        integer[] NOT NULL,
    run_kpos      bigint[] NOT NULL
) PARTITION BY RANGE (from_ns);
COMMENT ON TABLE  tocsin.tick_chunk IS 'Ticks of one turn and one UTC day, in the order of their seq. Element i of the arrays is tick i. A column x is x_wide[i], or where that is null x_base + x_unit * x[i]; x null: all are x_base. tocsin.tick reads it so.';
COMMENT ON COLUMN tocsin.tick_chunk.ticks IS 'How many.';
COMMENT ON COLUMN tocsin.tick_chunk.from_ns IS 'The earliest event_ns, and what those of the chunk are counted from; to_ns: the latest.';
COMMENT ON COLUMN tocsin.tick_chunk.kind_from IS 'The smallest day_or_kind, kind_to the greatest.';
COMMENT ON COLUMN tocsin.tick_chunk.checksum IS 'Of the ticks as the service sees them; whoever reads them for a replay compares it.';
COMMENT ON COLUMN tocsin.tick_chunk.seq IS 'Counted from first_seq; null: dense.';
COMMENT ON COLUMN tocsin.tick_chunk.kind IS 'day_or_kind; null: all are kind_from.';
COMMENT ON COLUMN tocsin.tick_chunk.received IS 'Of received_ms.';
COMMENT ON COLUMN tocsin.tick_chunk.price IS 'Of price_e8; size: of size_e8.';
COMMENT ON COLUMN tocsin.tick_chunk.run_at IS 'Where runs of messages that followed each other begin, counted from 0; run_kpos: the kpos there.';
CREATE INDEX tick_chunk_seq ON tocsin.tick_chunk (first_seq);
CREATE INDEX tick_chunk_time ON tocsin.tick_chunk (to_ns, from_ns);
GRANT SELECT, INSERT, UPDATE, DELETE ON tocsin.tick_chunk TO tocsin_engine;
GRANT SELECT ON tocsin.tick_chunk TO tocsin_api;

-- lz4 where this server has it; what is stored keeps what it was stored with.
DO $$
DECLARE c text;
BEGIN
    FOREACH c IN ARRAY ARRAY['seq', 'instrument', 'kind', 'event', 'received', 'price', 'size', 'event_wide', 'received_wide', 'price_wide', 'size_wide', 'run_at', 'run_kpos'] LOOP
        EXECUTE format('ALTER TABLE tocsin.tick_chunk ALTER COLUMN %I SET COMPRESSION lz4', c);
    END LOOP;
EXCEPTION WHEN feature_not_supported THEN
    NULL; -- pglz, as everything else of that server
END $$;

CREATE OR REPLACE FUNCTION tocsin.ensure_partition(parent text, day date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    prefix text := CASE parent WHEN 'tick_row' THEN 'tick' ELSE parent END;   -- as they were called before there were chunks
    from_day date := day;
    to_day date := day + 1;
    part text := format('%s_%s', prefix, to_char(day, 'YYYYMMDD'));
    month text := format('%s_%s', prefix, to_char(day, 'YYYYMM'));
    made boolean := false;
BEGIN
    IF parent = 'tick' THEN parent := 'tick_row'; END IF;
    IF parent NOT IN ('tick_row', 'reading') THEN RAISE EXCEPTION 'no partitioned table %', parent; END IF;
    IF to_regclass(format('tocsin.%I', part)) IS NULL AND (to_regclass(format('tocsin.%I', month)) IS NOT NULL
        OR day < current_date - 45 AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = format('tocsin.%I', parent)::regclass AND c.relname LIKE month || '__')) THEN
        part := month;
        from_day := date_trunc('month', day)::date;
        to_day := (date_trunc('month', day) + interval '1 month')::date;
    END IF;
    IF to_regclass(format('tocsin.%I', part)) IS NULL THEN
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
    END IF;
    IF parent = 'tick_row' AND to_regclass(format('tocsin.%I', replace(part, 'tick_', 'tick_chunk_'))) IS NULL THEN   -- the same days once more
        EXECUTE format('CREATE TABLE tocsin.%I PARTITION OF tocsin.tick_chunk FOR VALUES FROM (%s) TO (%s)', replace(part, 'tick_', 'tick_chunk_'),
                       (from_day - date '1970-01-01')::bigint * 86400000000000, (to_day - date '1970-01-01')::bigint * 86400000000000);
    END IF;
    RETURN part;
END $$;

-- ---- read back ----
CREATE VIEW tocsin.tick WITH (security_invoker = true) AS
    SELECT seq, event_ns, received_ms, kpos, price_e8, size_e8, instrument_id, day_or_kind FROM tocsin.tick_row
    UNION ALL
    SELECT c.first_seq + coalesce(u.seq::bigint, u.i - 1),
           coalesce(u.event_wide, c.from_ns + c.event_unit * coalesce(u.event, 0)),
           coalesce(u.received_wide, c.received_base + c.received_unit * coalesce(u.received, 0)),
           c.run_kpos[width_bucket(u.i::integer - 1, c.run_at)] + (u.i - 1 - c.run_at[width_bucket(u.i::integer - 1, c.run_at)]),
           coalesce(u.price_wide, c.price_base + c.price_unit * coalesce(u.price, 0)),
           coalesce(u.size_wide, c.size_base + c.size_unit * coalesce(u.size, 0)),
           u.instrument, coalesce(u.kind, c.kind_from)
    FROM tocsin.tick_chunk c
    CROSS JOIN LATERAL unnest(c.seq, c.instrument, c.kind, c.event, c.received, c.price, c.size, c.event_wide, c.received_wide, c.price_wide, c.size_wide)
        WITH ORDINALITY AS u(seq, instrument, kind, event, received, price, size, event_wide, received_wide, price_wide, size_wide, i);
COMMENT ON VIEW tocsin.tick IS 'Trades and official closes, each once. By time ask tocsin.ticks(from, to).';
COMMENT ON COLUMN tocsin.tick.seq IS 'Place in the one order of everything; ORDER BY seq replays it.';
COMMENT ON COLUMN tocsin.tick.kpos IS 'source_id << 40 | offset: where it came from.';
COMMENT ON COLUMN tocsin.tick.received_ms IS 'Kafka message timestamp, ms since 1970 UTC.';
COMMENT ON COLUMN tocsin.tick.day_or_kind IS 'A trade: -2147483648; a late one: -2147483647; one before or after its venue''s hours: -2147483646. An official close: its session, days since 1970-01-01.';
GRANT SELECT ON tocsin.tick TO tocsin_engine, tocsin_api;


-- The same as before, of both.
CREATE OR REPLACE VIEW market.trade WITH (security_invoker = true) AS
    SELECT t.seq, market.at(t.event_ns) AS at, i.symbol, (t.price_e8 / 1e8::numeric)::numeric(20, 8) AS price, (t.size_e8 / 1e8::numeric)::numeric(20, 8) AS size,
           t.day_or_kind = -2147483647 AS late, t.day_or_kind = -2147483646 AS extended
    FROM tocsin.tick t JOIN tocsin.instrument i USING (instrument_id) WHERE t.day_or_kind <= -2147483646;
CREATE OR REPLACE VIEW market.close WITH (security_invoker = true) AS
    SELECT t.seq, date '1970-01-01' + t.day_or_kind AS session, i.symbol, (t.price_e8 / 1e8::numeric)::numeric(20, 8) AS price
    FROM tocsin.tick t JOIN tocsin.instrument i USING (instrument_id) WHERE t.day_or_kind > -2147483646;
CREATE OR REPLACE VIEW market.close_adjusted WITH (security_invoker = true) AS
    SELECT c.session, i.symbol, c.price, (c.price * f.split_from / f.split_to)::numeric(20, 8) AS split_adjusted,
           (c.price * f.all_from / f.all_to)::numeric(20, 8) AS adjusted, c.seq
    FROM (SELECT DISTINCT ON (t.instrument_id, t.day_or_kind) t.instrument_id, t.seq, t.day_or_kind, date '1970-01-01' + t.day_or_kind AS session,
                 (t.price_e8 / 1e8::numeric)::numeric(20, 8) AS price
          FROM tocsin.tick t WHERE t.day_or_kind > -2147483646
          ORDER BY t.instrument_id, t.day_or_kind, t.seq DESC) c
    JOIN tocsin.instrument i USING (instrument_id)
    CROSS JOIN LATERAL (
        SELECT market.product(a.adjust_from) AS all_from, market.product(a.adjust_to) AS all_to,
               market.product(CASE a.kind WHEN 'split' THEN a.adjust_from ELSE 1 END) AS split_from,
               market.product(CASE a.kind WHEN 'split' THEN a.adjust_to ELSE 1 END) AS split_to
        FROM tocsin.action a WHERE a.instrument_id = c.instrument_id AND a.effective > c.day_or_kind AND a.adjust_to > 0 AND a.state IN ('applied', 'presumed')) f;
