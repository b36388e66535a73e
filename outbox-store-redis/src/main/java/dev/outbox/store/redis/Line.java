package dev.outbox.store.redis;

import java.util.List;
import redis.clients.jedis.Connection;

/**
 * A connection that was borrowed from a pool, and the number of answers that are still to come over it. If it is given
 * back with an answer unread, after an exception or a lack of memory, the connection is closed. Otherwise its next
 * borrower would take the answer for its own.
 *
 * <p>Used by one thread at a time.
 */
final class Line implements AutoCloseable {
    private final Connection connection;
    private int unanswered;

    private Line(Connection connection) {
        this.connection = connection;
    }

    /** Over a connection that goes back to its pool even if there is no memory for more. */
    static Line over(Connection connection) {
        Line line = null;
        try {
            line = new Line(connection);
            return line;
        } finally {
            if (line == null) {
                connection.close();
            }
        }
    }

    /** Writes commands, and sends what is written. */
    void send(List<Command> commands) {
        for (Command command : commands) {
            unanswered++; // before, because half a command is as bad as an answer that is not read
            connection.sendCommand(command.name(), command.arguments());
        }
        connection.getMany(0); // which sends what is written
    }

    /** Reads that many answers, errors among them. */
    List<Object> receive(int count) {
        List<Object> replies = connection.getMany(count);
        unanswered -= count;
        return replies;
    }

    int unanswered() {
        return unanswered;
    }

    /** Nobody is to use the connection after this. */
    void spoil() {
        connection.setBroken();
    }

    /** Gives the connection back, or closes it. */
    @Override
    public void close() {
        if (unanswered > 0) {
            connection.setBroken();
        }
        connection.close();
    }
}
