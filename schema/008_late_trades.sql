-- 008_late_trades.sql - a trade that happened before the newest one of its instrument is stored and moves nothing: it is marked
-- by day_or_kind, so that a tick costs no column more; so is one before or after its venue's hours. And of a session's official closes the newest one stands.

COMMENT ON COLUMN tocsin.tick.day_or_kind IS 'A trade: -2147483648; a late one: -2147483647; one before or after its venue''s hours: -2147483646. An official close: its session, days since 1970-01-01.';

CREATE OR REPLACE VIEW market.trade WITH (security_invoker = true) AS
    SELECT t.seq, market.at(t.event_ns) AS at, i.symbol, (t.price_e8 / 1e8::numeric)::numeric(20, 8) AS price, (t.size_e8 / 1e8::numeric)::numeric(20, 8) AS size,
           t.day_or_kind = -2147483647 AS late, t.day_or_kind = -2147483646 AS extended
    FROM tocsin.tick t JOIN tocsin.instrument i USING (instrument_id) WHERE t.day_or_kind <= -2147483646;
COMMENT ON COLUMN market.trade.extended IS 'Before or after its venue''s hours: it moved last, but no close, no rebalance and no session.';
COMMENT ON COLUMN market.trade.late IS 'It happened before the newest trade of its instrument: neither last nor any measure nor rule moved.';

CREATE OR REPLACE VIEW market.close WITH (security_invoker = true) AS
    SELECT t.seq, date '1970-01-01' + t.day_or_kind AS session, i.symbol, (t.price_e8 / 1e8::numeric)::numeric(20, 8) AS price
    FROM tocsin.tick t JOIN tocsin.instrument i USING (instrument_id) WHERE t.day_or_kind > -2147483646;
COMMENT ON VIEW market.close IS 'Official closes as they came; where a session has several of a symbol, the one with the greatest seq is in force.';
