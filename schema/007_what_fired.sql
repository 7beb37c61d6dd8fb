-- 007_what_fired.sql - an alert says what fired so that a program can read it: the condition in numbers, and the measure with
-- every parameter spelled out, which its canonical text leaves out where it has its default.

ALTER TABLE tocsin.alert
    ADD COLUMN op text,
    ADD COLUMN threshold double precision,
    ADD COLUMN clear double precision,
    ADD COLUMN hold_s bigint,
    ADD COLUMN definition text NOT NULL DEFAULT '';
ALTER TABLE tocsin.alert ALTER COLUMN definition DROP DEFAULT;

-- What was there before: by the rule's text, and its version. The owner is under the forced policies like everybody else.
ALTER TABLE tocsin.alert NO FORCE ROW LEVEL SECURITY;
ALTER TABLE tocsin.rule_version NO FORCE ROW LEVEL SECURITY;
UPDATE tocsin.alert a SET op = m.found[1], threshold = m.found[2]::float8,
    clear = coalesce((SELECT (v.definition ->> 'clear')::float8 FROM tocsin.rule_version v
                      WHERE (v.tenant_id, v.rule_id, v.version) = (a.tenant_id, a.rule_id, a.rule_version)), m.found[2]::float8),
    hold_s = coalesce((SELECT (v.definition ->> 'hold_s')::bigint FROM tocsin.rule_version v
                       WHERE (v.tenant_id, v.rule_id, v.version) = (a.tenant_id, a.rule_id, a.rule_version)), 0)
FROM (SELECT tenant_id, stream_no, regexp_match(rule_text, ' (>=|>|<=|<) ([^ ]+)$') AS found FROM tocsin.alert) m
WHERE (m.tenant_id, m.stream_no) = (a.tenant_id, a.stream_no);
ALTER TABLE tocsin.alert FORCE ROW LEVEL SECURITY;
ALTER TABLE tocsin.rule_version FORCE ROW LEVEL SECURITY;

ALTER TABLE tocsin.alert
    ALTER COLUMN op SET NOT NULL,
    ALTER COLUMN hold_s SET NOT NULL,
    ADD CONSTRAINT alert_op_check CHECK (op IN ('>=', '>', '<=', '<'));

COMMENT ON COLUMN tocsin.alert.op IS 'How the rule compares: >=, >, <= or <.';
COMMENT ON COLUMN tocsin.alert.threshold IS 'With what, in the measure''s unit.';
COMMENT ON COLUMN tocsin.alert.clear IS 'A firing rule resolves beyond it: the threshold, unless another level was given.';
COMMENT ON COLUMN tocsin.alert.hold_s IS 'So long the condition has to be true before the rule fires.';
COMMENT ON COLUMN tocsin.alert.definition IS 'JSON object: the measure with every parameter spelled out. Empty: made before schema 7.';

CREATE OR REPLACE VIEW market.alert WITH (security_invoker = true) AS
    SELECT seq, market.at(event_ns) AS at, state, rule_text, rule_version, severity, measure, value, unit, inputs::jsonb AS inputs, alert_id, rule_id,
           episode, reason, CASE WHEN episode IS NULL THEN NULL ELSE market.at(since_ns) END AS since, previous,
           op, threshold, clear, hold_s, nullif(definition, '')::jsonb AS definition
    FROM tocsin.alert;
