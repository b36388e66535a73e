package dev.outbox.store.redis;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Sends commands until there is an answer to them: over another connection if one is lost, to another server if the
 * slot has moved, a little later if it is being moved, in full if the server does not know a script. So they may be
 * carried out twice, and everything that is sent through here is such that the second time does no harm.
 *
 * <p>Safe for use by several threads.
 */
final class RetryingClient {
    /** How long to wait for a slot that is being moved, and for a cluster that is electing a master. */
    static final Duration PATIENCE = Duration.ofSeconds(1);

    private static final int CONNECTIONS_TRIED = 3;
    private static final int REDIRECTS_FOLLOWED = 5;
    private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long LONGEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(200);

    private final RedisClientAdapter adapter;

    RetryingClient(RedisClientAdapter adapter) {
        this.adapter = adapter;
    }

    /**
     * What came back.
     *
     * @param repeated whether an earlier try may have been carried out although its answer was lost
     * @param resent whether it was sent more than once for any reason, so that a part may have been carried out before
     */
    record Answers(List<Object> replies, boolean repeated, boolean resent) {}

    /** Carries out one command and returns the answer, which may be an error. */
    @Nullable
    Object call(KeySpace keySpace, Command command) {
        return send(keySpace, List.of(command), 1, PATIENCE).replies().get(0);
    }

    /** Carries out commands on their own, in one round trip. */
    List<Object> all(KeySpace keySpace, List<Command> commands) {
        return send(keySpace, commands, commands.size(), PATIENCE).replies();
    }

    /**
     * Sends commands in one round trip.
     *
     * @param decisive how many of them, from the first on, need an answer; those after them are a try, and have no
     *     answer if a connection was lost
     * @param patience how long to wait for a slot that is being moved, and for a server that is being restarted or
     *     replaced
     */
    Answers send(KeySpace keySpace, List<Command> commands, int decisive, Duration patience) {
        return send(keySpace, commands, decisive, patience, null);
    }

    /**
     * Sends commands, of which all but the first have been read ahead already, if that goes well; else all of them.
     *
     * @param ahead what has; null if nothing has
     */
    Answers send(
            KeySpace keySpace, List<Command> commands, int decisive, Duration patience, @Nullable ReadAhead ahead) {
        List<Command> toSend = commands;
        long began = System.nanoTime();
        boolean repeated = false;
        int sent = 0;
        int lost = 0;
        int redirects = 0;
        ReadAhead first = ahead;
        while (true) {
            List<Object> replies;
            sent++;
            try {
                if (first != null) {
                    ReadAhead used = first;
                    first = null;
                    replies = used.close(toSend.get(0));
                } else {
                    replies = adapter.send(keySpace, toSend);
                }
            } catch (JedisConnectionException e) {
                if (++lost >= CONNECTIONS_TRIED && isOver(began, patience)) {
                    throw e;
                }
                repeated = true;
                toSend = toSend.subList(0, decisive); // perhaps the rest is what the server had no room to answer
                pause(lost);
                adapter.noteFailure();
                if (adapter.isCluster()) {
                    lookWhereItIs(keySpace);
                }
                continue;
            }
            switch (Trouble.of(replies.subList(0, decisive))) {
                case MOVED -> {
                    if (++redirects > REDIRECTS_FOLLOWED) {
                        return new Answers(replies, repeated, sent > 1);
                    }
                    lookWhereItIs(keySpace);
                }
                case MOVING -> {
                    if (isOver(began, patience)) {
                        return new Answers(replies, repeated, sent > 1);
                    }
                    LockSupport.parkNanos(PAUSE);
                }
                case READ_ONLY -> {
                    // A master that became a replica keeps its connections; new ones may lead to the new master.
                    if (++lost >= CONNECTIONS_TRIED && isOver(began, patience)) {
                        return new Answers(replies, repeated, sent > 1);
                    }
                    pause(lost);
                    adapter.noteFailure();
                }
                case UNKNOWN_SCRIPT -> toSend = inFull(toSend);
                case NONE -> {
                    return new Answers(replies, repeated, sent > 1);
                }
            }
        }
    }

    /**
     * Sends what is worth a try and no more: never for longer than the server takes for one answer, so that nobody who
     * is giving up waits for it.
     */
    void tell(KeySpace keySpace, List<Command> commands) {
        long began = System.nanoTime();
        List<Command> toSend = commands;
        for (int i = 0; i < CONNECTIONS_TRIED && !isOver(began, PATIENCE); i++) {
            try {
                switch (Trouble.of(adapter.send(keySpace, toSend))) {
                    case UNKNOWN_SCRIPT -> toSend = inFull(commands);
                    case MOVED -> adapter.noteMoved(keySpace);
                    default -> {
                        return;
                    }
                }
            } catch (JedisConnectionException e) {
                adapter.noteFailure();
            } catch (RuntimeException e) {
                return;
            }
        }
    }

    /** A cluster that is electing a master cannot say; the next try will tell, and tries are counted. */
    private void lookWhereItIs(KeySpace keySpace) {
        try {
            adapter.noteMoved(keySpace);
        } catch (JedisException e) {
            // see above
        }
    }

    private static boolean isOver(long began, Duration patience) {
        return System.nanoTime() - began >= patience.toNanos();
    }

    /** Does nothing after the first loss, which is hardly ever more than a connection that was closed long ago. */
    private static void pause(int lost) {
        if (lost > 1) {
            LockSupport.parkNanos(Math.min(LONGEST_PAUSE, PAUSE << Math.min(lost - 2, 10)));
        }
    }

    /** Begins to read what may be wanted later; null if that cannot be. */
    @Nullable
    ReadAhead readAhead(KeySpace keySpace, List<Command> reads) {
        return ReadAhead.begin(adapter, keySpace, reads);
    }

    private static List<Command> inFull(List<Command> commands) {
        return commands.stream()
                .map(command -> {
                    Script script = command.script();
                    return script == null ? command : script.inFull(command);
                })
                .toList();
    }
}
