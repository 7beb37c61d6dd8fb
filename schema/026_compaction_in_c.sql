-- 026_compaction_in_c.sql - the service writes the copy by instrument itself (store/by_instrument.c): in a third of the time, and with rests in between.

DROP FUNCTION tocsin.compact_trades(bigint, bigint, bigint);
