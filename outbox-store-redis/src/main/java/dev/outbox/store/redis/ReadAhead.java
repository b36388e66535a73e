package dev.outbox.store.redis;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.exceptions.JedisException;

/**
 * The messages after a batch, which are read while the batch is worked on, over a connection that is kept for the
 * close: the server reads while the publisher works, and the client parses while the server closes.
 *
 * <p>It may become the next batch, if that close keeps the partitions. Then they were held without a break since before
 * it was read, so nobody else has settled anything of it; and as positions are given at commit, nothing has come to lie
 * before or within it. Messages that were added after it are read when the batch is completed. It is no older than the
 * last look for partitions, a second, so what is deleted by hand is not handed out long after.
 *
 * <p>Used by one thread at a time.
 */
final class ReadAhead {
    /** Servers keep what is not fetched in their memory, so what is read ahead should not be more than this. */
    static final int MOST_BYTES = 1 << 20;

    private final Line line;

    private ReadAhead(Line line) {
        this.line = line;
    }

    /** Null if it cannot be: without it, reading is done later. */
    static @Nullable ReadAhead begin(RedisClientAdapter adapter, KeySpace keySpace, List<Command> reads) {
        Line line = null;
        try {
            line = adapter.line(keySpace);
            if (line == null) {
                return null;
            }
            line.send(reads);
            return new ReadAhead(line);
        } catch (JedisException e) {
            if (line != null) {
                line.close();
            }
            return null;
        } catch (Throwable e) {
            if (line != null) {
                line.close();
            }
            throw e;
        }
    }

    /** Sends the close, and returns the answer to it and those to what was read ahead, errors among them. */
    List<Object> close(Command close) {
        try (line) {
            int reads = line.unanswered();
            line.send(List.of(close));
            List<Object> read = line.receive(reads);
            List<Object> replies = new ArrayList<>(1 + reads);
            replies.addAll(line.receive(1));
            replies.addAll(read);
            return replies;
        }
    }

    /** It is of no use. What is on its way is not waited for: the connection is closed. */
    void drop() {
        line.close();
    }
}
