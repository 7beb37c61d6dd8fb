-- 003_channel_settings.sql - a channel of any kind: its settings as its kind describes them (alerts/delivery/channels/),
-- its secrets sealed by the service under a key that the database never sees.

ALTER TABLE tocsin.channel
    ADD COLUMN settings jsonb,
    ADD COLUMN secrets bytea,
    ALTER COLUMN secret DROP NOT NULL;

-- The owner is under the forced policies like everybody else, and would change no row in silence.
ALTER TABLE tocsin.channel NO FORCE ROW LEVEL SECURITY;
UPDATE tocsin.channel SET settings = jsonb_build_object('url', url);
UPDATE tocsin.channel SET secret = NULL, secret_old = NULL WHERE deleted;
ALTER TABLE tocsin.channel FORCE ROW LEVEL SECURITY;

ALTER TABLE tocsin.channel
    ALTER COLUMN settings SET NOT NULL,
    DROP COLUMN url,
    DROP CONSTRAINT channel_kind_check,
    ADD CONSTRAINT channel_kind_check CHECK (kind ~ '^[a-z][a-z0-9_]{0,30}$'),
    ADD CONSTRAINT channel_settings_check CHECK (jsonb_typeof(settings) = 'object'),
    ADD CONSTRAINT channel_sealed_check CHECK (secrets IS NULL OR (secret IS NULL AND secret_old IS NULL));
COMMENT ON COLUMN tocsin.channel.kind IS 'One of alerts/delivery/channels.def. A program that does not know it delivers nothing there, and says so.';
COMMENT ON COLUMN tocsin.channel.settings IS 'What the channel''s kind needs and everybody of the tenant may see: {"url": ...}.';
COMMENT ON COLUMN tocsin.channel.secrets IS 'What it needs and nobody may see: JSON, sealed with AES-256-GCM (core/seal.h) for this tenant and channel alone. Not readable by tocsin_api.';
COMMENT ON COLUMN tocsin.channel.secret IS 'Of a webhook made before version 3, unencrypted: the first start with a key moves it to secrets. Not readable by tocsin_api.';

GRANT SELECT (settings), UPDATE (settings, secrets) ON tocsin.channel TO tocsin_api;
