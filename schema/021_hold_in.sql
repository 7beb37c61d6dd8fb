-- 021_hold_in.sql - a hold may count session time alone, and the alerts of its rule say so.

ALTER TABLE tocsin.alert ADD COLUMN hold_in text NOT NULL DEFAULT 'clock' CHECK (hold_in IN ('clock', 'session'));
ALTER TABLE tocsin.alert ALTER COLUMN hold_in DROP DEFAULT;
COMMENT ON COLUMN tocsin.alert.hold_in IS 'The time that hold_s counts: all (clock), or that of the subject''s sessions alone.';

CREATE OR REPLACE VIEW market.alert WITH (security_invoker = true) AS
    SELECT seq, market.at(event_ns) AS at, state, rule_text, rule_version, severity, measure, value, unit, inputs::jsonb AS inputs, alert_id, rule_id,
           episode, reason, CASE WHEN episode IS NULL THEN NULL ELSE market.at(since_ns) END AS since, previous,
           op, threshold, clear, hold_s, nullif(definition, '')::jsonb AS definition, looks_at, hold_in
    FROM tocsin.alert;
COMMENT ON COLUMN market.alert.hold_in IS 'The time that hold_s counts: all (clock), or that of the subject''s sessions alone.';
