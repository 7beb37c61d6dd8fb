-- 010_quality.sql - what looked wrong in what a feed said, and what became of it.

CREATE TABLE tocsin.quality (
    quality_no    bigint PRIMARY KEY,
    quality_id    uuid NOT NULL,
    seq           bigint NOT NULL,
    event_ns      bigint NOT NULL,
    reason        text NOT NULL,
    instrument_id integer NOT NULL,
    before        double precision,
    after         double precision,
    state         text NOT NULL,
    state_seq     bigint NOT NULL,
    detail        text NOT NULL
);
CREATE INDEX quality_instrument ON tocsin.quality (instrument_id, quality_no);
COMMENT ON TABLE  tocsin.quality IS 'What looked wrong in the data: flagged; or held, and what became of it.';
COMMENT ON COLUMN tocsin.quality.reason IS 'analytics/quality.h says what each looks at, and in which unit before and after are.';
COMMENT ON COLUMN tocsin.quality.state_seq IS 'The record that made the state what it is; seq is the one at which it was found.';
GRANT SELECT, INSERT, UPDATE, DELETE ON tocsin.quality TO tocsin_engine;
GRANT SELECT ON tocsin.quality TO tocsin_api;

CREATE VIEW market.quality WITH (security_invoker = true) AS
    SELECT q.quality_no, q.quality_id, q.seq, market.at(q.event_ns) AS at, i.symbol, q.reason, q.before, q.after, q.state, q.detail
    FROM tocsin.quality q JOIN tocsin.instrument i USING (instrument_id);
COMMENT ON VIEW market.quality IS 'What looked wrong in the data, by symbol.';
GRANT SELECT ON market.quality TO tocsin_api, tocsin_engine;
