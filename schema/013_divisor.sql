-- 013_divisor.sql - the ledger of divisors: every change of what an index's level is measured by, and why.

CREATE TABLE tocsin.divisor (
    divisor_no    bigint PRIMARY KEY,
    seq           bigint NOT NULL,
    event_ns      bigint NOT NULL,
    index_name    text NOT NULL,
    session       integer NOT NULL,
    reason        text NOT NULL,
    instrument_id integer NOT NULL,
    before        double precision,
    after         double precision
);
CREATE INDEX divisor_index ON tocsin.divisor (index_name, divisor_no);
CREATE INDEX divisor_seq ON tocsin.divisor (seq);
COMMENT ON TABLE  tocsin.divisor IS 'Every change of an index''s divisor. level = market value / divisor: the value moves with prices, the divisor with everything else.';
COMMENT ON COLUMN tocsin.divisor.seq IS 'The record by which it changed: from it on levels were said by the new one.';
COMMENT ON COLUMN tocsin.divisor.session IS 'From that session on, days since 1970-01-01. Of an action that came late it lies before its record.';
COMMENT ON COLUMN tocsin.divisor.reason IS 'start, membership, shares, split, special_dividend, spin_off, merger or delisting.';
COMMENT ON COLUMN tocsin.divisor.instrument_id IS 'Over which instrument; -1: none.';
COMMENT ON COLUMN tocsin.divisor.before IS 'Currency per point of the index; null: it had no level. after likewise.';
GRANT SELECT, INSERT, UPDATE, DELETE ON tocsin.divisor TO tocsin_engine;
GRANT SELECT ON tocsin.divisor TO tocsin_api;

CREATE VIEW market.divisor WITH (security_invoker = true) AS
    SELECT d.divisor_no, d.seq, market.at(d.event_ns) AS at, d.index_name AS index, date '1970-01-01' + d.session AS session, d.reason, i.symbol, d.before, d.after
    FROM tocsin.divisor d LEFT JOIN tocsin.instrument i USING (instrument_id);
COMMENT ON VIEW market.divisor IS 'Every change of an index''s divisor, when and why. level = market value / divisor; the value is in currency.';
GRANT SELECT ON market.divisor TO tocsin_api, tocsin_engine;
