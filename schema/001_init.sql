-- 001_init.sql - everything the service stores. Forward only: a change is a new file.
-- Prices and quantities are bigint at 1e-8, times bigint nanoseconds since 1970 UTC; the views of schema market (end of this
-- file) give them as numeric and timestamptz. Roles: tocsin_engine writes, tocsin_api reads under row-level security.

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tocsin_engine') THEN CREATE ROLE tocsin_engine NOLOGIN; END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tocsin_api') THEN CREATE ROLE tocsin_api NOLOGIN; END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- another database of this cluster made them at the same moment
END $$;
GRANT tocsin_engine, tocsin_api TO CURRENT_USER;

CREATE SCHEMA tocsin;
COMMENT ON SCHEMA tocsin IS 'Tocsin: what the service stores, exact integers. Quants read schema market.';
CREATE SCHEMA market;
COMMENT ON SCHEMA market IS 'Tocsin for quants: the same rows with numeric prices, timestamps and names.';
GRANT USAGE ON SCHEMA tocsin, market TO tocsin_engine, tocsin_api;

CREATE TABLE tocsin.schema_version (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tocsin.schema_version IS 'The migrations applied, by tocsin migrate.';

-- ---- who owns the order, and where Kafka stands ----
CREATE TABLE tocsin.shard (
    shard_id   smallint PRIMARY KEY,
    epoch      bigint NOT NULL,
    last_seq   bigint NOT NULL,
    commits    bigint NOT NULL DEFAULT 0,
    taken_at   timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  tocsin.shard IS 'One row a shard: the fence. A writer must find its own epoch and the last_seq it left, else another instance has taken over.';
COMMENT ON COLUMN tocsin.shard.epoch IS 'Counts the instances that have owned the shard; raised at each start.';
COMMENT ON COLUMN tocsin.shard.last_seq IS 'The last record committed; the next one is last_seq + 1. Dense.';
COMMENT ON COLUMN tocsin.shard.commits IS 'Counts batches: decides whether a commit whose reply was lost took place.';
INSERT INTO tocsin.shard (shard_id, epoch, last_seq) VALUES (0, 0, 0);

CREATE FUNCTION tocsin.advance(p_epoch bigint, p_commits bigint, p_from bigint, p_to bigint) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
    UPDATE tocsin.shard SET last_seq = p_to, commits = p_commits + 1
    WHERE shard_id = 0 AND epoch = p_epoch AND commits = p_commits AND last_seq = p_from;
    IF NOT FOUND THEN RAISE EXCEPTION 'another instance owns the shard' USING ERRCODE = 'TF001'; END IF;
END $$;
COMMENT ON FUNCTION tocsin.advance(bigint, bigint, bigint, bigint) IS 'The fence: every batch passes it, or fails whole.';

CREATE TABLE tocsin.source (
    source_id    integer PRIMARY KEY,
    cluster_id   text NOT NULL,
    topic        text NOT NULL,
    part         integer NOT NULL,
    source_epoch integer NOT NULL,
    next_offset  bigint NOT NULL,
    fingerprint  bigint NOT NULL DEFAULT 0,
    reason       text NOT NULL,
    started_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (topic, part, source_epoch)
);
COMMENT ON TABLE  tocsin.source IS 'A Kafka partition in one of its lives. A topic made anew, or a broker that forgot, starts a new source_epoch; the old row stays.';
COMMENT ON COLUMN tocsin.source.next_offset IS 'The position: the offset to read next, moved in the transaction that stores the effects of the one before.';
COMMENT ON COLUMN tocsin.source.fingerprint IS 'Hash of the message at next_offset - 1, looked at again at start: another message there means another topic.';
COMMENT ON COLUMN tocsin.source.reason IS 'Why this life began: first seen, other cluster, offsets out of range, other message at the position.';

CREATE TABLE tocsin.data_gap (
    gap_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id   integer NOT NULL,
    from_offset bigint NOT NULL,
    to_offset   bigint NOT NULL,
    found_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tocsin.data_gap IS 'Offsets [from_offset, to_offset) the broker had already deleted when they were due.';

CREATE TABLE tocsin.dead_letter (
    dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic       text NOT NULL,
    part        integer NOT NULL,
    kafka_offset bigint NOT NULL,
    source_id   integer NOT NULL,
    reason      text NOT NULL,
    detail      text NOT NULL,
    message_key bytea,
    message     bytea,
    refused_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  tocsin.dead_letter IS 'Messages refused, as they came, with the reason. Nothing that arrives is lost.';
COMMENT ON COLUMN tocsin.dead_letter.reason IS 'The error''s stable name: syntax, invalid, unknown_kind, unknown_symbol ...';

-- ---- the records, in the engine's one order ----
CREATE TABLE tocsin.tick (
    seq           bigint NOT NULL,
    event_ns      bigint NOT NULL,
    received_ms   bigint NOT NULL,
    kpos          bigint NOT NULL,
    price_e8      bigint NOT NULL,
    size_e8       bigint NOT NULL,
    instrument_id integer NOT NULL,
    day_or_kind   integer NOT NULL
) PARTITION BY RANGE (event_ns);
COMMENT ON TABLE  tocsin.tick IS 'Trades and official closes, partitioned by day of event time. Written by COPY.';
COMMENT ON COLUMN tocsin.tick.seq IS 'Place in the one order of everything; ORDER BY seq replays it.';
COMMENT ON COLUMN tocsin.tick.kpos IS 'source_id << 40 | offset: where it came from.';
COMMENT ON COLUMN tocsin.tick.received_ms IS 'Kafka message timestamp, ms since 1970 UTC.';
COMMENT ON COLUMN tocsin.tick.day_or_kind IS 'A trade: -2147483648. An official close: its session, days since 1970-01-01.';

CREATE TABLE tocsin.event (
    seq         bigint PRIMARY KEY,
    event_ns    bigint NOT NULL,
    received_ms bigint NOT NULL,
    kpos        bigint NOT NULL,
    kind        smallint NOT NULL,
    tenant_id   uuid,
    payload     text NOT NULL
);
COMMENT ON TABLE  tocsin.event IS 'Every other record, as its JSON: reference data, articles, positions, clock, rule changes from the API.';
COMMENT ON COLUMN tocsin.event.kind IS 'enum record_kind of ingest/record.h.';
COMMENT ON COLUMN tocsin.event.tenant_id IS 'Whose it is; null for what everybody may see.';

CREATE TABLE tocsin.instrument (
    instrument_id integer PRIMARY KEY,
    symbol        text NOT NULL UNIQUE,
    issuer        text NOT NULL,
    name          text NOT NULL
);
COMMENT ON TABLE tocsin.instrument IS 'The engine''s instrument ids, in order of first appearance.';

CREATE TABLE tocsin.snapshot (
    shard_id smallint NOT NULL,
    seq      bigint NOT NULL,
    version  integer NOT NULL,
    state    bytea NOT NULL,
    taken_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard_id, seq)
);
COMMENT ON TABLE tocsin.snapshot IS 'Engine state after record seq: recovery loads the newest and replays what follows.';
ALTER TABLE tocsin.snapshot ALTER COLUMN state SET STORAGE EXTERNAL;

-- ---- what the engine says ----
CREATE TABLE tocsin.series (
    series_id integer PRIMARY KEY,
    tenant_id uuid,
    measure   text NOT NULL,
    unit      text NOT NULL,
    version   integer NOT NULL,
    UNIQUE NULLS NOT DISTINCT (tenant_id, measure)
);
COMMENT ON TABLE  tocsin.series IS 'The measures being computed, by canonical text.';
COMMENT ON COLUMN tocsin.series.version IS 'Version of the measure''s definition (analytics/measures.def).';

CREATE TABLE tocsin.reading (
    seq          bigint NOT NULL,
    event_ns     bigint NOT NULL,
    series_id    integer NOT NULL,
    tenant_id    uuid,
    value        double precision,
    coverage     double precision NOT NULL,
    staleness_ns bigint NOT NULL,
    status       text NOT NULL
) PARTITION BY RANGE (event_ns);
COMMENT ON TABLE  tocsin.reading IS 'History of the measures: one row a series at each clock record and session end.';
COMMENT ON COLUMN tocsin.reading.value IS 'Null when there is none; status says why.';
COMMENT ON COLUMN tocsin.reading.coverage IS 'Share of the members that have a price, 0 to 1.';
COMMENT ON COLUMN tocsin.reading.staleness_ns IS 'Event time since the newest input.';

CREATE TABLE tocsin.article_score (
    seq        bigint PRIMARY KEY,
    article_id text NOT NULL,
    event_ns   bigint NOT NULL,
    headline   text NOT NULL,
    source     text NOT NULL,
    positive   double precision NOT NULL,
    neutral    double precision NOT NULL,
    negative   double precision NOT NULL,
    score      double precision NOT NULL,
    label      text NOT NULL,
    tickers    jsonb NOT NULL,
    scorer     text NOT NULL
);
COMMENT ON TABLE  tocsin.article_score IS 'Sentiment of each article when it was applied. A new scorer appends; old rows never change.';
COMMENT ON COLUMN tocsin.article_score.tickers IS '[{"symbol","score","label","relevance"}]: each ticker''s own score, never the article''s copied.';

-- ---- tenants and what they own ----
CREATE TABLE tocsin.tenant (
    tenant_id  uuid PRIMARY KEY,
    name       text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 63),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE tocsin.api_key (
    tenant_id  uuid NOT NULL REFERENCES tocsin.tenant,
    key_id     text NOT NULL,
    sha256     bytea NOT NULL CHECK (length(sha256) = 32),
    label      text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, key_id)
);
CREATE UNIQUE INDEX api_key_id ON tocsin.api_key (key_id); -- random 12 characters of our own making: discloses nothing
COMMENT ON TABLE  tocsin.api_key IS 'Keys, of which only the SHA-256 is kept.';

CREATE TABLE tocsin.rule (
    tenant_id  uuid NOT NULL REFERENCES tocsin.tenant,
    rule_id    uuid NOT NULL,
    version    integer NOT NULL,
    seq        bigint NOT NULL,
    definition jsonb NOT NULL,
    deleted    boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, rule_id)
);
COMMENT ON TABLE tocsin.rule IS 'The rules as they stand; written in the transaction of the rule record that made them so.';
CREATE TABLE tocsin.rule_version (
    tenant_id  uuid NOT NULL,
    rule_id    uuid NOT NULL,
    version    integer NOT NULL,
    seq        bigint NOT NULL,
    change     text NOT NULL CHECK (change IN ('created', 'changed', 'deleted')),
    definition jsonb NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, rule_id, version)
);
COMMENT ON TABLE tocsin.rule_version IS 'Every version a rule has had.';

CREATE TABLE tocsin.alert (
    tenant_id    uuid NOT NULL,
    stream_no    bigint NOT NULL,
    alert_id     uuid NOT NULL,
    seq          bigint NOT NULL,
    event_ns     bigint NOT NULL,
    state        text NOT NULL CHECK (state IN ('firing', 'resolved')),
    rule_id      uuid NOT NULL,
    rule_version integer NOT NULL,
    rule_no      bigint NOT NULL,
    rule_name    text NOT NULL,
    rule_text    text NOT NULL,
    severity     text NOT NULL,
    measure      text NOT NULL,
    unit         text NOT NULL,
    value        double precision NOT NULL,
    inputs       text NOT NULL,
    PRIMARY KEY (tenant_id, stream_no),
    UNIQUE (tenant_id, alert_id)
);
COMMENT ON TABLE  tocsin.alert IS 'Alerts, firing and resolved, each a row of its own that never changes.';
COMMENT ON COLUMN tocsin.alert.stream_no IS 'Per tenant 1, 2, 3 ... in the order of commits, without gaps: the cursor of the live stream (Last-Event-ID).';
COMMENT ON COLUMN tocsin.alert.alert_id IS 'A pure function of rule, rule version, seq and state: a replay gives the same id.';
COMMENT ON COLUMN tocsin.alert.seq IS 'The record that made it so.';
COMMENT ON COLUMN tocsin.alert.rule_no IS 'seq of the record that created the rule: the engine''s own number for it.';
COMMENT ON COLUMN tocsin.alert.inputs IS 'JSON object: what the value was computed from.';
CREATE INDEX alert_rule ON tocsin.alert (tenant_id, rule_id, stream_no);

CREATE TABLE tocsin.channel (
    tenant_id   uuid NOT NULL REFERENCES tocsin.tenant,
    channel_id  uuid NOT NULL,
    kind        text NOT NULL CHECK (kind = 'webhook'),
    url         text NOT NULL,
    secret      bytea NOT NULL,
    secret_old  bytea,
    enabled     boolean NOT NULL DEFAULT true,
    disabled_reason text,
    failing_since timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    deleted     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, channel_id)
);
COMMENT ON TABLE  tocsin.channel IS 'Where a tenant''s alerts are pushed.';
COMMENT ON COLUMN tocsin.channel.secret IS 'Signing key of Standard Webhooks 1.0.0, 24 to 64 bytes. Column not readable by tocsin_api.';

CREATE TABLE tocsin.outbox (
    tenant_id    uuid NOT NULL,
    alert_id     uuid NOT NULL,
    channel_id   uuid NOT NULL,
    stream_no    bigint NOT NULL,
    status       text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'failed', 'expired')),
    attempts     integer NOT NULL DEFAULT 0,
    next_attempt timestamptz NOT NULL DEFAULT now(),
    lease_until  timestamptz,
    last_status  integer,
    last_error   text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    PRIMARY KEY (tenant_id, alert_id, channel_id)
);
COMMENT ON TABLE tocsin.outbox IS 'What is owed to which channel; a row is made in the transaction of its alert, before anything is sent.';
CREATE INDEX outbox_due ON tocsin.outbox (next_attempt) WHERE status = 'waiting';
CREATE INDEX outbox_channel ON tocsin.outbox (tenant_id, channel_id, stream_no) WHERE status = 'waiting';
CREATE INDEX outbox_leased ON tocsin.outbox (lease_until) WHERE lease_until IS NOT NULL;

-- ---- row-level security: forced on every table with a tenant_id ----
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['tenant', 'api_key', 'rule', 'rule_version', 'alert', 'channel', 'outbox', 'event', 'series', 'reading'] LOOP
        EXECUTE format('ALTER TABLE tocsin.%I ENABLE ROW LEVEL SECURITY', t);
        EXECUTE format('ALTER TABLE tocsin.%I FORCE ROW LEVEL SECURITY', t);
        EXECUTE format('CREATE POLICY engine ON tocsin.%I TO tocsin_engine USING (true) WITH CHECK (true)', t);
        EXECUTE format('CREATE POLICY own ON tocsin.%I TO tocsin_api USING (%s tenant_id = nullif(current_setting(''tocsin.tenant'', true), '''')::uuid)'
                       ' WITH CHECK (tenant_id = nullif(current_setting(''tocsin.tenant'', true), '''')::uuid)', t,
                       CASE WHEN t IN ('event', 'series', 'reading') THEN 'tenant_id IS NULL OR' ELSE '' END);
    END LOOP;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tocsin TO tocsin_engine;
GRANT SELECT ON tocsin.shard, tocsin.source, tocsin.data_gap, tocsin.tick, tocsin.event, tocsin.instrument, tocsin.series, tocsin.reading,
                tocsin.article_score, tocsin.tenant, tocsin.rule, tocsin.rule_version, tocsin.alert, tocsin.outbox TO tocsin_api;
GRANT SELECT (tenant_id, channel_id, kind, url, enabled, disabled_reason, failing_since, created_at, deleted),
      INSERT, UPDATE (url, secret, secret_old, enabled, disabled_reason, failing_since, deleted) ON tocsin.channel TO tocsin_api;

-- The one door through which the API role looks at keys, before it knows the tenant.
CREATE FUNCTION tocsin.find_key(p_key_id text) RETURNS TABLE (tenant_id uuid, sha256 bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
    SELECT k.tenant_id, k.sha256 FROM tocsin.api_key k
    WHERE k.key_id = p_key_id AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
$$;
GRANT CREATE ON SCHEMA tocsin TO tocsin_engine;     -- what a new owner must have while it becomes one, unless a superuser migrates
ALTER FUNCTION tocsin.find_key(text) OWNER TO tocsin_engine;
REVOKE CREATE ON SCHEMA tocsin FROM tocsin_engine;
REVOKE ALL ON FUNCTION tocsin.find_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.find_key(text) TO tocsin_api, tocsin_engine;

-- ---- partitions: a day each for recent days, a month each for history ----
CREATE FUNCTION tocsin.ensure_partition(parent text, day date) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
    from_day date := day;
    to_day date := day + 1;
    part text := format('%s_%s', parent, to_char(day, 'YYYYMMDD'));
    month text := format('%s_%s', parent, to_char(day, 'YYYYMM'));
BEGIN
    IF parent NOT IN ('tick', 'reading') THEN RAISE EXCEPTION 'no partitioned table %', parent; END IF;
    IF to_regclass(format('tocsin.%I', part)) IS NOT NULL THEN RETURN part; END IF;
    IF to_regclass(format('tocsin.%I', month)) IS NOT NULL THEN RETURN month; END IF;
    IF day < current_date - 45 AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = format('tocsin.%I', parent)::regclass AND c.relname LIKE month || '__') THEN
        part := month;
        from_day := date_trunc('month', day)::date;
        to_day := (date_trunc('month', day) + interval '1 month')::date;
    END IF;
    EXECUTE format('CREATE TABLE tocsin.%I PARTITION OF tocsin.%I FOR VALUES FROM (%s) TO (%s)', part, parent,
                   (from_day - date '1970-01-01')::bigint * 86400000000000, (to_day - date '1970-01-01')::bigint * 86400000000000);
    EXECUTE format('CREATE INDEX ON tocsin.%I USING brin (event_ns)', part);
    EXECUTE format('CREATE INDEX ON tocsin.%I USING brin (seq)', part);
    IF parent = 'reading' THEN
        EXECUTE format('CREATE INDEX ON tocsin.%I (series_id, event_ns, seq)', part);
        EXECUTE format('ALTER TABLE tocsin.%I ENABLE ROW LEVEL SECURITY', part);   -- for whoever names the partition itself
        EXECUTE format('ALTER TABLE tocsin.%I FORCE ROW LEVEL SECURITY', part);
        EXECUTE format('CREATE POLICY engine ON tocsin.%I TO tocsin_engine USING (true) WITH CHECK (true)', part);
    END IF;
    EXECUTE format('GRANT SELECT, INSERT ON tocsin.%I TO tocsin_engine', part);
    RETURN part;
END $$;
REVOKE ALL ON FUNCTION tocsin.ensure_partition(text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tocsin.ensure_partition(text, date) TO tocsin_engine;

-- ---- for quants ----
CREATE FUNCTION market.at(ns bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_timestamp(ns / 1000000000) + make_interval(secs => (ns % 1000000000) / 1000 / 1e6);
COMMENT ON FUNCTION market.at(bigint) IS 'Nanoseconds since 1970 as timestamptz (microseconds).';

CREATE VIEW market.trade WITH (security_invoker = true) AS
    SELECT t.seq, market.at(t.event_ns) AS at, i.symbol, (t.price_e8 / 1e8::numeric)::numeric(20, 8) AS price, (t.size_e8 / 1e8::numeric)::numeric(20, 8) AS size
    FROM tocsin.tick t JOIN tocsin.instrument i USING (instrument_id) WHERE t.day_or_kind = -2147483648;
CREATE VIEW market.close WITH (security_invoker = true) AS
    SELECT t.seq, date '1970-01-01' + t.day_or_kind AS session, i.symbol, (t.price_e8 / 1e8::numeric)::numeric(20, 8) AS price
    FROM tocsin.tick t JOIN tocsin.instrument i USING (instrument_id) WHERE t.day_or_kind <> -2147483648;
CREATE VIEW market.reading WITH (security_invoker = true) AS
    SELECT r.seq, market.at(r.event_ns) AS at, s.measure, r.value, s.unit, r.coverage, r.staleness_ns / 1e9 AS staleness_s, r.status
    FROM tocsin.reading r JOIN tocsin.series s USING (series_id);
CREATE VIEW market.article WITH (security_invoker = true) AS
    SELECT seq, article_id, market.at(event_ns) AS at, headline, source, label, score, positive, neutral, negative, tickers, scorer FROM tocsin.article_score;
CREATE VIEW market.shares WITH (security_invoker = true) AS
    SELECT seq, market.at(event_ns) AS at, payload::jsonb ->> 'symbol' AS symbol, (payload::jsonb ->> 'shares')::bigint AS shares,
           coalesce((payload::jsonb ->> 'float')::numeric, 1) AS float_factor FROM tocsin.event WHERE kind = 6;
CREATE VIEW market.membership WITH (security_invoker = true) AS
    SELECT seq, market.at(event_ns) AS at, payload::jsonb ->> 'index' AS index, payload::jsonb ->> 'symbol' AS symbol,
           coalesce((payload::jsonb ->> 'member')::boolean, true) AS member FROM tocsin.event WHERE kind = 8;
CREATE VIEW market.exposure WITH (security_invoker = true) AS
    SELECT seq, market.at(event_ns) AS known_at, payload::jsonb ->> 'issuer' AS issuer, payload::jsonb ->> 'theme' AS theme,
           (payload::jsonb ->> 'value')::numeric AS value, (payload::jsonb ->> 'effective_from')::date AS effective_from FROM tocsin.event WHERE kind = 10;
CREATE VIEW market.alert WITH (security_invoker = true) AS
    SELECT seq, market.at(event_ns) AS at, state, rule_text, rule_version, severity, measure, value, unit, inputs::jsonb AS inputs, alert_id, rule_id FROM tocsin.alert;
GRANT SELECT ON ALL TABLES IN SCHEMA market TO tocsin_api, tocsin_engine;
COMMENT ON VIEW market.trade IS 'Trades as they were applied.';
COMMENT ON VIEW market.close IS 'Official closes by session.';
COMMENT ON VIEW market.reading IS 'History of every measure you may see, by canonical text.';
COMMENT ON VIEW market.article IS 'Articles and their sentiment.';
COMMENT ON VIEW market.shares IS 'Shares outstanding and float factor, each from when it was known.';
COMMENT ON VIEW market.membership IS 'Index membership changes.';
COMMENT ON VIEW market.exposure IS 'Theme exposure by issuer, dated.';
COMMENT ON VIEW market.alert IS 'Your alerts, firing and resolved.';
