-- 023_readings_on_change.sql - a reading is stored where it says something new; how a measure stood at evenly spaced times.
COMMENT ON TABLE tocsin.reading IS 'History of the measures: a row where value, coverage or status differ from the row before, at a sample (a clock record, engine.sample_ms apart), and one at each session end. A row stands until the next of its series. With engine.readings = every: one at each sample.';

-- Each point is one look at the index. Fresh tables have no statistics, and a plan that reads all of such a partition for every point
-- would be a thousand times as much work later: therefore the settings. What is forbidden and has to be done all the same, by the
-- policies, counts as so dear that it would be compiled at each point (8 s for 180 of them): no jit.
CREATE FUNCTION tocsin.reading_grid(p_series integer, p_from bigint, p_to bigint, p_points bigint)
    RETURNS TABLE (seq bigint, at_ns bigint, value double precision, coverage double precision, status text)
LANGUAGE plpgsql STABLE ROWS 1000 SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET search_path = '' AS $$
DECLARE
    begins bigint;
    ends   bigint;
    step   bigint;
    point  bigint;
BEGIN
    SELECT r.event_ns INTO begins FROM tocsin.reading r WHERE r.series_id = p_series ORDER BY r.event_ns, r.seq LIMIT 1;
    SELECT r.event_ns INTO ends FROM tocsin.reading r WHERE r.series_id = p_series ORDER BY r.event_ns DESC, r.seq DESC LIMIT 1;
    IF begins IS NULL THEN RETURN; END IF;
    begins := greatest(begins, p_from);
    -- What stands goes on standing until now, and not into the future.
    IF p_to < 9223372036854775807 THEN
        ends := greatest(ends, least(p_to - 1, (extract(epoch FROM clock_timestamp()) * 1000000000)::bigint));
        ends := least(ends, p_to - 1);
    END IF;
    step := greatest(1000000000, (ends - begins) / p_points);
    FOR n IN REVERSE p_points - 1 .. 0 LOOP
        point := ends - n * step;
        CONTINUE WHEN point < begins;
        at_ns := point;
        SELECT r.seq, r.value, r.coverage, r.status INTO seq, value, coverage, status FROM tocsin.reading r
        WHERE r.series_id = p_series AND r.event_ns <= point ORDER BY r.event_ns DESC, r.seq DESC LIMIT 1;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION tocsin.reading_grid(integer, bigint, bigint, bigint) IS 'How a series stood at p_points times at most of p_from <= t < p_to, evenly spaced and a second apart or more, the last at the end.';
GRANT EXECUTE ON FUNCTION tocsin.reading_grid(integer, bigint, bigint, bigint) TO tocsin_engine, tocsin_api;
