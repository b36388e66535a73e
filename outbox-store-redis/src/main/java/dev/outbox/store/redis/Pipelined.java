package dev.outbox.store.redis;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.commands.ProtocolCommand;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * Sends commands over a client that does not give its connections away, as that of Sentinel. A pipeline of Jedis gives
 * its connection back even if the connection did not fail but something else did while answers were read, such as a
 * lack of memory. The next borrower would then take the remaining answers for its own.
 */
final class Pipelined {
    /** Far more answers than there can be of what one call sends. */
    private static final int MOST_LEFT = 1_000_000;

    private static final ProtocolCommand QUIT = () -> "QUIT".getBytes(StandardCharsets.US_ASCII);

    private Pipelined() {}

    static List<Object> send(AbstractPipeline pipeline, List<Command> commands) {
        List<Response<Object>> responses = new ArrayList<>(commands.size());
        boolean clean = false;
        try {
            for (Command command : commands) {
                responses.add(pipeline.sendCommand(command.name(), command.arguments()));
            }
            pipeline.sync();
            List<Object> replies = new ArrayList<>(responses.size());
            for (Response<Object> response : responses) {
                replies.add(reply(response));
            }
            clean = Trouble.of(replies) != Trouble.READ_ONLY;
            return replies;
        } finally {
            try {
                if (!clean) {
                    spoil(pipeline);
                }
            } finally {
                close(pipeline);
            }
        }
    }

    /** Once more it reads what is unread, which fails if the connection is broken, and then closes it. */
    private static void close(AbstractPipeline pipeline) {
        try {
            pipeline.close();
        } catch (JedisConnectionException e) {
            // as it should be: everything that was wanted has been read, or has failed already
        }
    }

    private static Object reply(Response<Object> response) {
        try {
            return response.get();
        } catch (JedisDataException e) {
            return e;
        }
    }

    /**
     * Asks the server to close the connection, and reads until it has: then the client knows that it is broken. Every
     * turn reads an answer, or what is taken for one, and the number of those is limited.
     */
    private static void spoil(AbstractPipeline pipeline) {
        try {
            for (int i = 0; i < MOST_LEFT; i++) {
                pipeline.sendCommand(QUIT, new byte[0][]);
                pipeline.sync();
            }
        } catch (JedisConnectionException e) {
            // as it should be
        }
    }
}
