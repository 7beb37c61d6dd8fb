-- 018_api_login.sql - the API's sessions log in as a role of their own.
--
-- They used to log in as the service and SET ROLE tocsin_api; whoever could make one say SET ROLE or RESET ROLE was the engine, and
-- read every tenant's rows. Now `tocsin migrate` makes a login that is a member of tocsin_api and of nothing else, with a random
-- password, and keeps it here for the service to log in with. A login is the whole server's, so its name has the database's oid: a
-- database restored elsewhere gets one of its own from the next `tocsin migrate`.
CREATE TABLE tocsin.api_login (
    database   oid PRIMARY KEY,
    role       name NOT NULL,
    password   text NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE  tocsin.api_login IS 'The login of the API''s sessions, which can do what the API can and no more. Readable by tocsin_engine alone.';
COMMENT ON COLUMN tocsin.api_login.database IS 'pg_database.oid of the database it was made for: others are of a copy or a dump.';
COMMENT ON COLUMN tocsin.api_login.role IS 'A member of tocsin_api and of nothing else.';
COMMENT ON COLUMN tocsin.api_login.password IS '256 random bits in hex.';
COMMENT ON COLUMN tocsin.api_login.made_at IS 'When it was made, by the database''s clock.';
GRANT SELECT ON tocsin.api_login TO tocsin_engine;
