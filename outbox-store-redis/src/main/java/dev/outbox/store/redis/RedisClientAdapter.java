package dev.outbox.store.redis;

import dev.outbox.ConfigurationException;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Connection;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.util.JedisClusterCRC16;

/**
 * A client of one server, of what Sentinel says is the master, or of a cluster. Sends nothing twice: the
 * caller knows best what may be repeated.
 */
final class RedisClientAdapter implements AutoCloseable {
    private final UnifiedJedis client;
    private final Consumer<UnifiedJedis> onFailure;
    private final boolean own;

    private RedisClientAdapter(UnifiedJedis client, Consumer<UnifiedJedis> onFailure, boolean own) {
        this.client = client;
        this.onFailure = onFailure;
        this.own = own;
    }

    /** A client of the application, which is never closed. */
    static RedisClientAdapter of(UnifiedJedis client) {
        if (client.getClass().getName().equals("redis.clients.jedis.JedisCluster")) {
            throw new ConfigurationException("A JedisCluster does not give its connections away in a way that later"
                    + " versions of Jedis keep: use a RedisClusterClient.");
        }
        return new RedisClientAdapter(client, c -> {}, false);
    }

    /**
     * A client of the store's own, and what to do with it when a connection was lost, which is hardly ever the only
     * one.
     */
    static RedisClientAdapter own(UnifiedJedis client, Consumer<UnifiedJedis> onFailure) {
        return new RedisClientAdapter(client, onFailure, true);
    }

    boolean isCluster() {
        return client instanceof RedisClusterClient;
    }

    /** How many connections there can be at a time, as far as the client tells; negative if there is no bound. */
    int mostConnections() {
        return client instanceof RedisClient single ? single.getPool().getMaxTotal() : -1;
    }

    /** Sends commands to the server of a key space in one go. The answers have their order; errors are among them. */
    List<Object> send(KeySpace keySpace, List<Command> commands) {
        Connection connection = borrow(slot(keySpace));
        if (connection == null) {
            return Pipelined.send(client.pipelined(), commands);
        }
        try (Line line = Line.over(connection)) {
            line.send(commands);
            List<Object> replies = line.receive(commands.size());
            if (Trouble.of(replies) == Trouble.READ_ONLY) {
                line.spoil(); // a new one may lead to the new master
            }
            return replies;
        }
    }

    /**
     * A connection to the server of a key space that may be kept for a while. Null if there is none to be had: those of
     * a client of the application may be few.
     */
    @Nullable
    Line line(KeySpace keySpace) {
        Connection connection = own ? borrow(slot(keySpace)) : null;
        return connection == null ? null : Line.over(connection);
    }

    /** Null if the client gives none away. */
    private @Nullable Connection borrow(int slot) {
        if (client instanceof RedisClusterClient cluster) {
            return cluster.getConnectionFromSlot(slot);
        }
        return client instanceof RedisClient single ? single.getPool().getResource() : null;
    }

    private static int slot(KeySpace keySpace) {
        return JedisClusterCRC16.getSlot(keySpace.ready());
    }

    /** A connection was lost: the others to that server are of no use either. */
    void noteFailure() {
        onFailure.accept(client);
    }

    /** The slot of a key space has moved: a command that follows redirects makes the client learn where to. */
    void noteMoved(KeySpace keySpace) {
        client.zcard(keySpace.ready());
    }

    /**
     * Whether this user may send a PING.
     *
     * @throws JedisDataException if the server does not say, because it is loading or busy
     */
    boolean answersPings() {
        try {
            client.ping();
            return true;
        } catch (JedisDataException e) {
            if (Trouble.code(e).equals("NOPERM")) {
                return false;
            }
            throw e;
        } catch (JedisException e) {
            return true; // the server is away; it would be asked again anyway
        }
    }

    /**
     * Listens until the subscriber unsubscribes, or the connection breaks.
     *
     * @param connected is told of the connection before it is used, so that it can be broken off; if the client gives
     *     it away
     */
    void subscribe(JedisPubSub subscriber, String channel, Consumer<Connection> connected) {
        Connection borrowed = borrow(JedisClusterCRC16.getSlot(channel));
        if (borrowed == null) {
            client.subscribe(subscriber, channel);
            return;
        }
        try (Connection connection = borrowed) {
            connected.accept(connection);
            subscriber.proceed(connection, channel);
        }
    }

    @Override
    public void close() {
        if (own) {
            client.close();
        }
    }
}
