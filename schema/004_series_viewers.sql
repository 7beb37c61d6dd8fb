-- 004_series_viewers.sql - who sees a series: everybody what the configuration or an index asks for, else the tenants that have,
-- or have had, a rule on it. Until now everybody saw all but books.

CREATE TABLE tocsin.series_viewer (
    tenant_id uuid NOT NULL,
    series_id integer NOT NULL,
    PRIMARY KEY (tenant_id, series_id)
);
COMMENT ON TABLE tocsin.series_viewer IS 'A tenant that has, or has had, a rule on a series: it may read the readings.';
COMMENT ON COLUMN tocsin.series_viewer.tenant_id IS 'Who may read it.';
COMMENT ON COLUMN tocsin.series_viewer.series_id IS 'What: tocsin.series.';
ALTER TABLE tocsin.series ADD COLUMN configured boolean NOT NULL DEFAULT false;
ALTER TABLE tocsin.series ALTER COLUMN configured DROP DEFAULT;
COMMENT ON COLUMN tocsin.series.configured IS 'Asked for by an index itself or by the configuration: everybody may read it.';

-- What was there before. The owner is under the forced policies like everybody else, and would see and change no row.
ALTER TABLE tocsin.series NO FORCE ROW LEVEL SECURITY;
ALTER TABLE tocsin.event NO FORCE ROW LEVEL SECURITY;
ALTER TABLE tocsin.rule_version NO FORCE ROW LEVEL SECURITY;
UPDATE tocsin.series SET configured = true
WHERE tenant_id IS NULL
  AND (measure IN (SELECT e.payload::jsonb ->> 'measure' FROM tocsin.event e WHERE e.kind = 14)
       OR measure IN (SELECT format(f.text, e.payload::jsonb ->> 'index') FROM tocsin.event e
                      CROSS JOIN (VALUES ('level(%s)'), ('ew_level(%s)'), ('spread(%s)'), ('spread(%s, window=all)'), ('hhi(%s)'), ('effective_number(%s)'),
                                         ('top_weight(%s)'), ('ai_sentiment(%s)'), ('ai_exposure(%s)')) f(text) WHERE e.kind = 7));
INSERT INTO tocsin.series_viewer (tenant_id, series_id)
SELECT DISTINCT v.tenant_id, s.series_id FROM tocsin.rule_version v
JOIN tocsin.series s ON s.measure = v.definition ->> 'measure' AND (s.tenant_id IS NULL OR s.tenant_id = v.tenant_id);
ALTER TABLE tocsin.series FORCE ROW LEVEL SECURITY;
ALTER TABLE tocsin.event FORCE ROW LEVEL SECURITY;
ALTER TABLE tocsin.rule_version FORCE ROW LEVEL SECURITY;

ALTER TABLE tocsin.series_viewer ENABLE ROW LEVEL SECURITY;
ALTER TABLE tocsin.series_viewer FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON tocsin.series_viewer TO tocsin_engine USING (true) WITH CHECK (true);
CREATE POLICY own ON tocsin.series_viewer TO tocsin_api USING (tenant_id = nullif(current_setting('tocsin.tenant', true), '')::uuid);
GRANT SELECT, INSERT, UPDATE, DELETE ON tocsin.series_viewer TO tocsin_engine;
GRANT SELECT ON tocsin.series_viewer TO tocsin_api;

-- Sub-selects without a reference to the row are made once a statement, not once a row.
DROP POLICY own ON tocsin.series;
CREATE POLICY seen ON tocsin.series TO tocsin_api USING (configured OR series_id IN (SELECT v.series_id FROM tocsin.series_viewer v));
DROP POLICY own ON tocsin.reading;
CREATE POLICY seen ON tocsin.reading TO tocsin_api USING (series_id IN (SELECT s.series_id FROM tocsin.series s));
