-- 019_quants.sql - what is asked for by instrument and time is found without reading the rest: closes are kept once more by instrument and session,
-- and trades, closes and readings of a range are functions that touch the partitions and chunks of that range alone.
-- The closes that are there are copied: one pass over the ticks, in this transaction. It may be broken off and begun again.

CREATE TABLE tocsin.close (
    seq           bigint NOT NULL,
    instrument_id integer NOT NULL,
    session       integer NOT NULL,
    price_e8      bigint NOT NULL,
    PRIMARY KEY (instrument_id, session, seq)
);
COMMENT ON TABLE  tocsin.close IS 'Official closes as they came, by instrument and session; written with the tick of each. Of several of a session the one with the greatest seq is in force.';
COMMENT ON COLUMN tocsin.close.session IS 'Days since 1970-01-01.';
GRANT SELECT, INSERT, UPDATE, DELETE ON tocsin.close TO tocsin_engine;
GRANT SELECT ON tocsin.close TO tocsin_api;
SET LOCAL statement_timeout = 0;
INSERT INTO tocsin.close (seq, instrument_id, session, price_e8)
SELECT t.seq, t.instrument_id, t.day_or_kind, t.price_e8 FROM tocsin.tick t WHERE t.day_or_kind > -2147483646;

CREATE OR REPLACE VIEW market.close WITH (security_invoker = true) AS
    SELECT c.seq, date '1970-01-01' + c.session AS session, i.symbol, (c.price_e8 / 1e8::numeric)::numeric(20, 8) AS price
    FROM tocsin.close c JOIN tocsin.instrument i USING (instrument_id);
CREATE OR REPLACE VIEW market.close_adjusted WITH (security_invoker = true) AS
    SELECT c.session, i.symbol, c.price, (c.price * f.split_from / f.split_to)::numeric(20, 8) AS split_adjusted,
           (c.price * f.all_from / f.all_to)::numeric(20, 8) AS adjusted, c.seq
    FROM (SELECT DISTINCT ON (t.instrument_id, t.session) t.instrument_id, t.seq, t.session AS day_or_kind, date '1970-01-01' + t.session AS session,
                 (t.price_e8 / 1e8::numeric)::numeric(20, 8) AS price
          FROM tocsin.close t
          ORDER BY t.instrument_id, t.session, t.seq DESC) c
    JOIN tocsin.instrument i USING (instrument_id)
    CROSS JOIN LATERAL (
        SELECT market.product(a.adjust_from) AS all_from, market.product(a.adjust_to) AS all_to,
               market.product(CASE a.kind WHEN 'split' THEN a.adjust_from ELSE 1 END) AS split_from,
               market.product(CASE a.kind WHEN 'split' THEN a.adjust_to ELSE 1 END) AS split_to
        FROM tocsin.action a WHERE a.instrument_id = c.instrument_id AND a.effective > c.day_or_kind AND a.adjust_to > 0 AND a.state IN ('applied', 'presumed')) f;

-- ---- ranges ----
-- What of a chunk queries go by stands beside each of its ticks, so that chunks out of a range are passed over before anything of them is unpacked.
CREATE VIEW tocsin.tick_in_chunk WITH (security_invoker = true) AS
    SELECT c.first_seq + coalesce(u.seq::bigint, u.i - 1) AS seq,
           coalesce(u.event_wide, c.from_ns + c.event_unit * coalesce(u.event, 0)) AS event_ns,
           coalesce(u.received_wide, c.received_base + c.received_unit * coalesce(u.received, 0)) AS received_ms,
           c.run_kpos[width_bucket(u.i::integer - 1, c.run_at)] + (u.i - 1 - c.run_at[width_bucket(u.i::integer - 1, c.run_at)]) AS kpos,
           coalesce(u.price_wide, c.price_base + c.price_unit * coalesce(u.price, 0)) AS price_e8,
           coalesce(u.size_wide, c.size_base + c.size_unit * coalesce(u.size, 0)) AS size_e8,
           u.instrument AS instrument_id, coalesce(u.kind, c.kind_from) AS day_or_kind, c.first_seq, c.from_ns, c.to_ns, c.kind_from
    FROM tocsin.tick_chunk c
    CROSS JOIN LATERAL unnest(c.seq, c.instrument, c.kind, c.event, c.received, c.price, c.size, c.event_wide, c.received_wide, c.price_wide, c.size_wide)
        WITH ORDINALITY AS u(seq, instrument, kind, event, received, price, size, event_wide, received_wide, price_wide, size_wide, i);
COMMENT ON VIEW tocsin.tick_in_chunk IS 'The ticks that are in chunks, each with the range of its chunk.';
GRANT SELECT ON tocsin.tick_in_chunk TO tocsin_engine, tocsin_api;
CREATE OR REPLACE VIEW tocsin.tick WITH (security_invoker = true) AS
    SELECT seq, event_ns, received_ms, kpos, price_e8, size_e8, instrument_id, day_or_kind FROM tocsin.tick_row
    UNION ALL
    SELECT seq, event_ns, received_ms, kpos, price_e8, size_e8, instrument_id, day_or_kind FROM tocsin.tick_in_chunk;
COMMENT ON VIEW tocsin.tick IS 'Trades and official closes, each once. Those of a range of time: tocsin.ticks.';

CREATE FUNCTION market.ns(p_at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE p_at WHEN 'infinity' THEN 9223372036854775807 WHEN '-infinity' THEN -9223372036854775808 ELSE (extract(epoch FROM p_at) * 1000000000)::bigint END;
COMMENT ON FUNCTION market.ns(timestamptz) IS 'The same moment in nanoseconds since 1970 UTC, as schema tocsin has them.';
CREATE FUNCTION tocsin.midnight(p_ns bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN p_ns < -9223286400000000000 THEN -9223372036854775808 ELSE p_ns - (p_ns % 86400000000000 + 86400000000000) % 86400000000000 END;
COMMENT ON FUNCTION tocsin.midnight(bigint) IS 'When its UTC day began.';

-- No SET below and nothing volatile: so the planner puts the statement in place of the call and sees the range. A chunk is of one UTC day.
CREATE FUNCTION tocsin.ticks(p_from bigint, p_to bigint)
    RETURNS TABLE (seq bigint, event_ns bigint, received_ms bigint, kpos bigint, price_e8 bigint, size_e8 bigint, instrument_id integer, day_or_kind integer)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100000 AS $$
    SELECT r.seq, r.event_ns, r.received_ms, r.kpos, r.price_e8, r.size_e8, r.instrument_id, r.day_or_kind
    FROM tocsin.tick_row r WHERE r.event_ns >= p_from AND r.event_ns < p_to
    UNION ALL
    SELECT t.seq, t.event_ns, t.received_ms, t.kpos, t.price_e8, t.size_e8, t.instrument_id, t.day_or_kind
    FROM tocsin.tick_in_chunk t
    WHERE t.from_ns >= tocsin.midnight(p_from) AND t.from_ns < p_to AND t.to_ns >= p_from AND t.event_ns >= p_from AND t.event_ns < p_to
$$;
COMMENT ON FUNCTION tocsin.ticks(bigint, bigint) IS 'tocsin.tick of p_from <= event_ns < p_to.';

CREATE FUNCTION market.trades(p_symbol text, p_from timestamptz, p_to timestamptz)
    RETURNS TABLE (seq bigint, at timestamptz, symbol text, price numeric, size numeric, late boolean, extended boolean)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000 AS $$
    SELECT t.seq, market.at(t.event_ns), i.symbol, (t.price_e8 / 1e8::numeric)::numeric(20, 8), (t.size_e8 / 1e8::numeric)::numeric(20, 8),
           t.day_or_kind = -2147483647, t.day_or_kind = -2147483646
    FROM tocsin.instrument i JOIN tocsin.ticks(market.ns(p_from), market.ns(p_to)) t ON t.instrument_id = i.instrument_id
    WHERE i.symbol = p_symbol AND t.day_or_kind <= -2147483646
$$;
COMMENT ON FUNCTION market.trades(text, timestamptz, timestamptz) IS 'market.trade of the instrument that has this symbol now, p_from <= at < p_to; no other partition or chunk is touched.';

CREATE FUNCTION market.closes(p_symbol text, p_from date, p_to date) RETURNS TABLE (seq bigint, session date, symbol text, price numeric)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 AS $$
    SELECT c.seq, date '1970-01-01' + c.session, i.symbol, (c.price_e8 / 1e8::numeric)::numeric(20, 8)
    FROM tocsin.instrument i JOIN tocsin.close c USING (instrument_id)
    WHERE i.symbol = p_symbol AND c.session >= p_from - date '1970-01-01' AND c.session <= p_to - date '1970-01-01'
$$;
COMMENT ON FUNCTION market.closes(text, date, date) IS 'market.close of the instrument that has this symbol now, of the sessions from p_from to p_to, both with.';

CREATE FUNCTION market.readings(p_measure text, p_from timestamptz, p_to timestamptz)
    RETURNS TABLE (seq bigint, at timestamptz, measure text, value double precision, unit text, coverage double precision, staleness_s numeric, status text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10000 AS $$
    SELECT r.seq, market.at(r.event_ns), s.measure, r.value, s.unit, r.coverage, r.staleness_ns / 1e9, r.status
    FROM tocsin.series s JOIN tocsin.reading r ON r.series_id = s.series_id
    WHERE s.measure = p_measure AND r.series_id = ANY (ARRAY(SELECT x.series_id FROM tocsin.series x WHERE x.measure = p_measure))
      AND r.event_ns >= market.ns(p_from) AND r.event_ns < market.ns(p_to)
$$;
COMMENT ON FUNCTION market.readings(text, timestamptz, timestamptz) IS 'market.reading of one measure by canonical text, p_from <= at < p_to; no other partition is touched.';
GRANT EXECUTE ON FUNCTION market.ns(timestamptz), tocsin.midnight(bigint), tocsin.ticks(bigint, bigint), market.trades(text, timestamptz, timestamptz),
    market.closes(text, date, date), market.readings(text, timestamptz, timestamptz) TO tocsin_engine, tocsin_api;
