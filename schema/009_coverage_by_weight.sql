-- 009_coverage_by_weight.sql - coverage is a share of weight, and not known while a member has never had a price.

ALTER TABLE tocsin.reading ALTER COLUMN coverage DROP NOT NULL;
COMMENT ON COLUMN tocsin.reading.coverage IS 'Share of the members, by weight, that are priced in this session, 0 to 1. Null: unknown, since one never had a price.';
