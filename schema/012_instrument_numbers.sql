-- 012_instrument_numbers.sql - what registries call an instrument, and whose calendar its sessions go by.

ALTER TABLE tocsin.instrument
    ADD COLUMN venue text NOT NULL DEFAULT '',
    ADD COLUMN isin text NOT NULL DEFAULT '',
    ADD COLUMN figi text NOT NULL DEFAULT '';
COMMENT ON COLUMN tocsin.instrument.venue IS 'Whose calendar its sessions go by; empty: UTC days.';
COMMENT ON COLUMN tocsin.instrument.isin IS 'ISO 6166; empty: not said.';
COMMENT ON COLUMN tocsin.instrument.figi IS 'Financial Instrument Global Identifier; empty: not said.';

CREATE OR REPLACE VIEW market.symbol WITH (security_invoker = true) AS
    SELECT s.symbol, s.instrument_id, i.symbol AS symbol_now, i.issuer, i.name,
           CASE WHEN s.from_day > -2147483648 THEN date '1970-01-01' + s.from_day END AS valid_from,
           CASE WHEN s.until_day < 2147483647 THEN date '1970-01-01' + s.until_day END AS valid_until,
           i.venue, nullif(i.isin, '') AS isin, nullif(i.figi, '') AS figi
    FROM tocsin.symbol s JOIN tocsin.instrument i USING (instrument_id);
