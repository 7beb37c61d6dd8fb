-- 015_article_ends.sql - which of an article's versions stands: the others are marked where articles are listed.

CREATE TABLE tocsin.retraction (
    seq        bigint PRIMARY KEY,
    article_id text NOT NULL,
    event_ns   bigint NOT NULL
);
CREATE INDEX retraction_article ON tocsin.retraction (article_id, seq);
CREATE INDEX article_score_article ON tocsin.article_score (article_id, seq);
COMMENT ON TABLE  tocsin.retraction IS 'Articles that their senders took back.';
COMMENT ON COLUMN tocsin.retraction.event_ns IS 'A version published after it stands.';
GRANT SELECT, INSERT, UPDATE, DELETE ON tocsin.retraction TO tocsin_engine;
GRANT SELECT ON tocsin.retraction TO tocsin_api;

CREATE FUNCTION tocsin.article_end(p_seq bigint, p_article_id text, p_event_ns bigint) RETURNS TABLE (seq bigint, state text)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    (SELECT n.seq, 'superseded' FROM tocsin.article_score n WHERE n.article_id = p_article_id AND n.seq > p_seq ORDER BY n.seq LIMIT 1)
    UNION ALL
    (SELECT t.seq, 'retracted' FROM tocsin.retraction t
     WHERE t.article_id = p_article_id AND t.seq > p_seq AND t.event_ns >= p_event_ns ORDER BY t.seq LIMIT 1)
    ORDER BY 1 LIMIT 1
$$;
COMMENT ON FUNCTION tocsin.article_end(bigint, text, bigint) IS 'By which record a version of an article ended: superseded by the next with its id, or retracted. No row: it stands.';
GRANT EXECUTE ON FUNCTION tocsin.article_end(bigint, text, bigint) TO tocsin_engine, tocsin_api;

CREATE OR REPLACE VIEW market.article WITH (security_invoker = true) AS
    SELECT a.seq, a.article_id, market.at(a.event_ns) AS at, a.headline, a.source, a.label, a.score, a.positive, a.neutral, a.negative, a.tickers, a.scorer,
           coalesce(x.state, 'stands') AS state, x.seq AS ended_seq
    FROM tocsin.article_score a LEFT JOIN LATERAL tocsin.article_end(a.seq, a.article_id, a.event_ns) x ON true;
COMMENT ON VIEW market.article IS 'Articles and their sentiment, each version: state is stands, superseded (a newer version of it has come) or retracted, by record ended_seq.';
