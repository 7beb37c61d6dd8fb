-- 016_state_pages.sql - the engine's state in pages: a snapshot writes those that changed, and names the others.

ALTER TABLE tocsin.snapshot
    ALTER COLUMN state DROP NOT NULL,
    ADD COLUMN event_ns bigint,
    ADD COLUMN kept boolean NOT NULL DEFAULT false;
COMMENT ON TABLE  tocsin.snapshot IS 'Engine state after record seq: recovery loads the newest that is whole, and replays what follows.';
COMMENT ON COLUMN tocsin.snapshot.state IS 'The whole state, as programs before schema version 16 stored it. Null: it is in pages, which snapshot_part names.';
COMMENT ON COLUMN tocsin.snapshot.event_ns IS 'Event time of the state; null in one of an older program.';
COMMENT ON COLUMN tocsin.snapshot.kept IS 'A checkpoint: it stays when newer ones come, and verify and back-tests may begin there.';

CREATE TABLE tocsin.snapshot_page (
    page_id bigint PRIMARY KEY,
    part    text NOT NULL,
    page    integer NOT NULL,
    bytes   bytea NOT NULL
);
COMMENT ON TABLE  tocsin.snapshot_page IS 'Pages of the state, of about 64 KiB; never changed, and gone with the last snapshot that names them.';
COMMENT ON COLUMN tocsin.snapshot_page.part IS 'Of which part (core/state.h), and which page of it when it was written: for people. Snapshots go by page_id.';

CREATE TABLE tocsin.snapshot_part (
    shard_id smallint NOT NULL,
    seq      bigint NOT NULL,
    no       integer NOT NULL,
    part     text NOT NULL,
    head     bytea NOT NULL,
    pages    bigint[] NOT NULL,
    sums     bigint[] NOT NULL,
    checksum bigint NOT NULL,
    PRIMARY KEY (shard_id, seq, no),
    FOREIGN KEY (shard_id, seq) REFERENCES tocsin.snapshot ON DELETE CASCADE
);
COMMENT ON TABLE  tocsin.snapshot_part IS 'What a snapshot is made of: by no the head of each part, and behind it the part''s pages.';
COMMENT ON COLUMN tocsin.snapshot_part.sums IS 'The checksum of each page.';
COMMENT ON COLUMN tocsin.snapshot_part.checksum IS 'Of this row: no, part, head, pages and sums.';

-- pglz, the default, packs at a tenth of the speed; a server built without lz4 goes on with it.
DO $$
BEGIN
    ALTER TABLE tocsin.snapshot_page ALTER COLUMN bytes SET COMPRESSION lz4;
    ALTER TABLE tocsin.snapshot_part ALTER COLUMN pages SET COMPRESSION lz4, ALTER COLUMN sums SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported OR invalid_parameter_value THEN NULL;
END $$;

GRANT SELECT, INSERT, UPDATE, DELETE ON tocsin.snapshot_page, tocsin.snapshot_part TO tocsin_engine;
