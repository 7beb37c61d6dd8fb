-- 011_at_close.sql - a rule may look at the ends of sessions alone, and its alerts say so.

ALTER TABLE tocsin.alert ADD COLUMN looks_at text NOT NULL DEFAULT 'trade' CHECK (looks_at IN ('trade', 'close'));
ALTER TABLE tocsin.alert ALTER COLUMN looks_at DROP DEFAULT;
COMMENT ON COLUMN tocsin.alert.looks_at IS 'When its rule looks: at each trade, or (close) at the ends of its subject''s sessions alone.';

CREATE OR REPLACE VIEW market.alert WITH (security_invoker = true) AS
    SELECT seq, market.at(event_ns) AS at, state, rule_text, rule_version, severity, measure, value, unit, inputs::jsonb AS inputs, alert_id, rule_id,
           episode, reason, CASE WHEN episode IS NULL THEN NULL ELSE market.at(since_ns) END AS since, previous,
           op, threshold, clear, hold_s, nullif(definition, '')::jsonb AS definition, looks_at
    FROM tocsin.alert;
COMMENT ON COLUMN market.alert.looks_at IS 'When its rule looks: at each trade, or (close) at the ends of its subject''s sessions alone.';
