package dev.outbox.store.redis;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Connection;
import redis.clients.jedis.exceptions.JedisException;

/**
 * What is behind a batch, being read while the batch is worked on, over a connection that is kept for the close: the server
 * reads while the publisher works, and the client parses while the server closes.
 *
 * <p>It may become the next batch, if that close keeps the partitions. Then they were held without a break since before it
 * was read, so nobody else has settled anything of it; and as positions are given at commit, nothing has come to lie before
 * or within it. What came behind it meanwhile is read when the batch is completed. It is no
 * older than the last look for partitions, a second, so what is deleted by hand is not handed out long after.
 *
 * <p>Used by one thread at a time.
 */
final class ReadAhead {
    /** Servers keep what is not fetched in their memory, so what is read ahead should not be more than this. */
    static final int MOST_BYTES = 1 << 20;

    private final Connection connection;
    private int unanswered;

    private ReadAhead(Connection connection) {
        this.connection = connection;
    }

    /** Null if it cannot be: without it, reading is done later. */
    static @Nullable ReadAhead begin(Servers servers, Place place, List<Command> reads) {
        ReadAhead ahead = null;
        try {
            Connection connection = servers.connection(place);
            if (connection == null) {
                return null;
            }
            ahead = new ReadAhead(connection);
            ahead.send(reads);
            return ahead;
        } catch (JedisException e) {
            if (ahead != null) {
                ahead.end();
            }
            return null;
        }
    }

    /** Sends the close, and returns the answer to it and those to what was read ahead, errors among them. */
    List<Object> close(Command close) {
        int reads = unanswered;
        try {
            send(List.of(close));
            List<Object> read = receive(reads);
            List<Object> replies = new ArrayList<>(1 + reads);
            replies.addAll(receive(1));
            replies.addAll(read);
            return replies;
        } finally {
            end();
        }
    }

    /** It is of no use. */
    void drop() {
        try {
            receive(unanswered);
        } catch (JedisException e) {
            // The connection is lost, and with it what was to be thrown away.
        } finally {
            end();
        }
    }

    private void send(List<Command> commands) {
        for (Command command : commands) {
            connection.sendCommand(command.name(), command.arguments());
            unanswered++;
        }
        receive(0); // which sends what is written
    }

    private List<Object> receive(int count) {
        List<Object> replies = connection.getMany(count);
        unanswered -= count;
        return replies;
    }

    private void end() {
        if (unanswered > 0) {
            connection.setBroken();
        }
        connection.close();
    }
}
