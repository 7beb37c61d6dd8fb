-- 014_action.sql - corporate actions as they were said and applied, and closes adjusted by them.

CREATE TABLE tocsin.action (
    action_no     bigint PRIMARY KEY,
    seq           bigint NOT NULL,
    event_ns      bigint NOT NULL,
    instrument_id integer NOT NULL,
    kind          text NOT NULL,
    effective     integer NOT NULL,
    new_shares    bigint NOT NULL,
    old_shares    bigint NOT NULL,
    amount_e8     bigint NOT NULL,
    other_id      integer NOT NULL,
    state         text NOT NULL,
    state_seq     bigint NOT NULL,
    adjust_to     bigint NOT NULL,
    adjust_from   bigint NOT NULL
);
CREATE INDEX action_instrument ON tocsin.action (instrument_id, effective);
CREATE INDEX action_other ON tocsin.action (other_id) WHERE other_id >= 0;
COMMENT ON TABLE  tocsin.action IS 'Corporate actions as they were said, and what has become of each. What else a record says of one is in tocsin.event under its seq.';
COMMENT ON COLUMN tocsin.action.seq IS 'The record that says it: known from then on. Of a split that is presumed, the one by which it is.';
COMMENT ON COLUMN tocsin.action.kind IS 'split, dividend, special_dividend, spin_off, delisting, merger or rename.';
COMMENT ON COLUMN tocsin.action.effective IS 'From the open of that session on, days since 1970-01-01.';
COMMENT ON COLUMN tocsin.action.new_shares IS 'Of a split, of the child of a spin-off or of the acquirer, for old_shares; both 0: no matter of shares.';
COMMENT ON COLUMN tocsin.action.amount_e8 IS 'At 1e-8: paid for a share, the child''s value, what the terms give; 0: not said.';
COMMENT ON COLUMN tocsin.action.other_id IS 'The child of a spin-off, or the acquirer whose shares are given; -1: none.';
COMMENT ON COLUMN tocsin.action.state IS 'waiting (for its session), applied, presumed (by a price; nobody has said it), awaits_price (of the child), refused (it did not fit any more) or superseded (corrected while it waited).';
COMMENT ON COLUMN tocsin.action.state_seq IS 'The record that made the state what it is.';
COMMENT ON COLUMN tocsin.action.adjust_to IS 'Applied, it makes prices of before adjust_from / adjust_to of what they were; both 0: it changes none.';
GRANT SELECT, INSERT, UPDATE, DELETE ON tocsin.action TO tocsin_engine;
GRANT SELECT ON tocsin.action TO tocsin_api;

CREATE VIEW market.action WITH (security_invoker = true) AS
    SELECT a.action_no, a.seq, market.at(a.event_ns) AS known_at, coalesce(e.said ->> 'symbol', e.said ->> 'parent', i.symbol) AS symbol,
           i.symbol AS symbol_now, a.kind, a.state, a.state_seq, date '1970-01-01' + a.effective AS effective, (e.said ->> 'announced')::date AS announced,
           nullif(a.new_shares, 0) AS new_shares, nullif(a.old_shares, 0) AS old_shares,
           (nullif(a.amount_e8, 0) / 1e8::numeric)::numeric(20, 8) AS amount, nullif(e.said ->> 'currency', '') AS currency,
           coalesce(o.symbol, nullif(e.said ->> 'acquirer', ''), CASE a.kind WHEN 'rename' THEN e.said ->> 'to' END) AS other,
           nullif(e.said ->> 'source', '') AS source, nullif(a.adjust_to, 0) AS adjust_to, nullif(a.adjust_from, 0) AS adjust_from
    FROM tocsin.action a JOIN tocsin.instrument i USING (instrument_id) LEFT JOIN tocsin.instrument o ON o.instrument_id = a.other_id
    LEFT JOIN LATERAL (SELECT x.payload::jsonb AS said FROM tocsin.event x WHERE x.seq = a.seq AND x.kind IN (18, 20, 22, 23, 24, 25)) e ON true;
COMMENT ON VIEW market.action IS 'Corporate actions: known_at and seq say since when they were known, effective from which session on they count, symbol as it was said. other is the child, the acquirer or the new symbol.';
GRANT SELECT ON market.action TO tocsin_api, tocsin_engine;

CREATE AGGREGATE market.product(numeric) (SFUNC = pg_catalog.numeric_mul, STYPE = numeric, INITCOND = '1', PARALLEL = SAFE, COMBINEFUNC = pg_catalog.numeric_mul);
COMMENT ON AGGREGATE market.product(numeric) IS 'The product; of no row 1.';
GRANT EXECUTE ON FUNCTION market.product(numeric) TO tocsin_engine, tocsin_api;

-- What stands of each session: of corrected closes the newest.
CREATE VIEW market.close_adjusted WITH (security_invoker = true) AS
    SELECT c.session, i.symbol, c.price, (c.price * f.split_from / f.split_to)::numeric(20, 8) AS split_adjusted,
           (c.price * f.all_from / f.all_to)::numeric(20, 8) AS adjusted, c.seq
    FROM (SELECT DISTINCT ON (t.instrument_id, t.day_or_kind) t.instrument_id, t.seq, t.day_or_kind, date '1970-01-01' + t.day_or_kind AS session,
                 (t.price_e8 / 1e8::numeric)::numeric(20, 8) AS price
          FROM tocsin.tick t WHERE t.day_or_kind > -2147483646
          ORDER BY t.instrument_id, t.day_or_kind, t.seq DESC) c
    JOIN tocsin.instrument i USING (instrument_id)
    CROSS JOIN LATERAL (
        SELECT market.product(a.adjust_from) AS all_from, market.product(a.adjust_to) AS all_to,
               market.product(CASE a.kind WHEN 'split' THEN a.adjust_from ELSE 1 END) AS split_from,
               market.product(CASE a.kind WHEN 'split' THEN a.adjust_to ELSE 1 END) AS split_to
        FROM tocsin.action a WHERE a.instrument_id = c.instrument_id AND a.effective > c.day_or_kind AND a.adjust_to > 0 AND a.state IN ('applied', 'presumed')) f;
COMMENT ON VIEW market.close_adjusted IS 'The official close of each session, as it came (price) and per share of now: split_adjusted is divided by the ratios of all splits that took effect after that session; adjusted is also lowered by special dividends and spin-offs after it, as ret() is. Neither is adjusted for dividends that are not special. Of closes that were corrected the newest counts.';
GRANT SELECT ON market.close_adjusted TO tocsin_api, tocsin_engine;

CREATE FUNCTION market.split_ratio(p_symbol text, p_after date, p_until date DEFAULT 'infinity') RETURNS numeric
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = '' AS $$
    SELECT market.product(a.new_shares) / market.product(a.old_shares)
    FROM tocsin.action a JOIN tocsin.instrument i USING (instrument_id)
    WHERE i.symbol = p_symbol AND a.kind = 'split' AND a.state IN ('applied', 'presumed')
      AND date '1970-01-01' + a.effective > p_after AND date '1970-01-01' + a.effective <= p_until
$$;
COMMENT ON FUNCTION market.split_ratio(text, date, date) IS 'So many shares of p_until (now) are one of the close of p_after, by the splits in between that are in force: shares of then times it are shares of now. The symbol is that of now.';
GRANT EXECUTE ON FUNCTION market.split_ratio(text, date, date) TO tocsin_engine, tocsin_api;
