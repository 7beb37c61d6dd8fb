-- 012_dated_symbols.sql - what an instrument is called is dated: a rename keeps its id, and everything that is stored under it.

CREATE TABLE tocsin.symbol (
    instrument_id integer NOT NULL,
    from_seq      bigint NOT NULL,
    until_seq     bigint NOT NULL,
    symbol        text NOT NULL,
    from_day      integer NOT NULL,
    until_day     integer NOT NULL,
    PRIMARY KEY (instrument_id, from_seq)
);
COMMENT ON TABLE  tocsin.symbol IS 'What each instrument is called and was called, in the order of records and by date. An instrument has one symbol at a time, a symbol one instrument.';
COMMENT ON COLUMN tocsin.symbol.from_seq IS 'Of the records from this one on; 0: of all.';
COMMENT ON COLUMN tocsin.symbol.until_seq IS 'And before this one; 9223372036854775807: it has it still.';
COMMENT ON COLUMN tocsin.symbol.from_day IS 'Its first day, days since 1970-01-01; -2147483648: it had it always.';
COMMENT ON COLUMN tocsin.symbol.until_day IS 'The first day on which it was no longer its; 2147483647: it has it still.';
CREATE INDEX symbol_symbol ON tocsin.symbol (symbol, from_day);
INSERT INTO tocsin.symbol (instrument_id, from_seq, until_seq, symbol, from_day, until_day)
SELECT instrument_id, 0, 9223372036854775807, symbol, -2147483648, 2147483647 FROM tocsin.instrument;
GRANT SELECT, INSERT, UPDATE, DELETE ON tocsin.symbol TO tocsin_engine;
GRANT SELECT ON tocsin.symbol TO tocsin_api;

-- Two instruments may exchange names within one transaction, whatever the order of the rows.
ALTER TABLE tocsin.instrument DROP CONSTRAINT instrument_symbol_key,
    ADD CONSTRAINT instrument_symbol_key UNIQUE (symbol) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE tocsin.series DROP CONSTRAINT series_tenant_id_measure_key,
    ADD CONSTRAINT series_tenant_id_measure_key UNIQUE NULLS NOT DISTINCT (tenant_id, measure) DEFERRABLE INITIALLY DEFERRED;
COMMENT ON COLUMN tocsin.instrument.symbol IS 'Its symbol now: tocsin.symbol has those of before.';
COMMENT ON COLUMN tocsin.series.measure IS 'Its canonical text now; after a rename with the new symbol, while the series and its readings stay.';

CREATE FUNCTION tocsin.instrument_at(p_symbol text, p_day date) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT s.instrument_id FROM tocsin.symbol s
    WHERE s.symbol = p_symbol AND s.from_day <= p_day - date '1970-01-01' AND p_day - date '1970-01-01' < s.until_day
    ORDER BY s.from_seq DESC LIMIT 1
$$;
COMMENT ON FUNCTION tocsin.instrument_at(text, date) IS 'The instrument that had this symbol on that day; null: none had.';
GRANT EXECUTE ON FUNCTION tocsin.instrument_at(text, date) TO tocsin_engine, tocsin_api;

-- What registries call an instrument, and whose calendar its sessions go by.
ALTER TABLE tocsin.instrument
    ADD COLUMN venue text NOT NULL DEFAULT '',
    ADD COLUMN isin text NOT NULL DEFAULT '',
    ADD COLUMN figi text NOT NULL DEFAULT '';
COMMENT ON COLUMN tocsin.instrument.venue IS 'Whose calendar its sessions go by; empty: UTC days.';
COMMENT ON COLUMN tocsin.instrument.isin IS 'ISO 6166; empty: not said.';
COMMENT ON COLUMN tocsin.instrument.figi IS 'Financial Instrument Global Identifier; empty: not said.';

CREATE VIEW market.symbol WITH (security_invoker = true) AS
    SELECT s.symbol, s.instrument_id, i.symbol AS symbol_now, i.issuer, i.name,
           CASE WHEN s.from_day > -2147483648 THEN date '1970-01-01' + s.from_day END AS valid_from,
           CASE WHEN s.until_day < 2147483647 THEN date '1970-01-01' + s.until_day END AS valid_until,
           i.venue, nullif(i.isin, '') AS isin, nullif(i.figi, '') AS figi
    FROM tocsin.symbol s JOIN tocsin.instrument i USING (instrument_id);
COMMENT ON VIEW market.symbol IS 'What instruments are called and were called: from valid_from (null: always) to the day before valid_until (null: still).';
GRANT SELECT ON market.symbol TO tocsin_engine, tocsin_api;
