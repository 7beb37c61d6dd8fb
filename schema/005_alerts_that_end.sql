-- 005_alerts_that_end.sql - a firing and its resolution have one episode, and each alert says why and since when. What was
-- stored before has none: it is read as it is, and a replay leaves these columns out of its comparison.

ALTER TABLE tocsin.alert
    ADD COLUMN episode uuid,
    ADD COLUMN reason text,
    ADD COLUMN since_ns bigint NOT NULL DEFAULT 0,
    ADD COLUMN previous double precision,
    ALTER COLUMN value DROP NOT NULL;   -- a firing rule may be moved to a series that has none, and end there
ALTER TABLE tocsin.alert ALTER COLUMN since_ns DROP DEFAULT;

-- Until now a rule that was changed or deleted said nothing. The owner is under the forced policies like everybody else.
ALTER TABLE tocsin.alert NO FORCE ROW LEVEL SECURITY;
UPDATE tocsin.alert SET reason = CASE state WHEN 'firing' THEN 'met' ELSE 'cleared' END;
ALTER TABLE tocsin.alert FORCE ROW LEVEL SECURITY;
ALTER TABLE tocsin.alert
    ALTER COLUMN reason SET NOT NULL,
    ADD CONSTRAINT alert_reason_check CHECK (reason IN ('met', 'cleared', 'changed', 'disabled', 'deleted'));

COMMENT ON COLUMN tocsin.alert.episode IS 'One for a firing and its resolution. Null: made before schema 5.';
COMMENT ON COLUMN tocsin.alert.reason IS 'met of a firing; cleared, changed, disabled or deleted of a resolution.';
COMMENT ON COLUMN tocsin.alert.since_ns IS 'Event time at which the condition of this episode came true. 0 where episode is null.';
COMMENT ON COLUMN tocsin.alert.previous IS 'The value before this one, in its unit. Null: none was looked at.';

CREATE OR REPLACE VIEW market.alert WITH (security_invoker = true) AS
    SELECT seq, market.at(event_ns) AS at, state, rule_text, rule_version, severity, measure, value, unit, inputs::jsonb AS inputs, alert_id, rule_id,
           episode, reason, CASE WHEN episode IS NULL THEN NULL ELSE market.at(since_ns) END AS since, previous
    FROM tocsin.alert;
