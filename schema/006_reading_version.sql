-- 006_reading_version.sql - which version of its measure's definition gave a reading its value. verify compares only what
-- the same version says.

ALTER TABLE tocsin.reading ADD COLUMN measure_version integer NOT NULL DEFAULT 1;
ALTER TABLE tocsin.reading ALTER COLUMN measure_version DROP DEFAULT;
COMMENT ON COLUMN tocsin.reading.measure_version IS 'Version of the measure''s definition (GET /v1/definitions) that gave the value.';
