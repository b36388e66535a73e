package dev.outbox.store.redis;

import dev.outbox.ConfigurationException;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * An outbox in Redis 6.2 or newer: on one server, under Sentinel, or in a cluster. Messages are queued in the application's
 * own transaction; relays read them from a {@link Store} of the same prefix.
 *
 * <pre>{@code
 * RedisOutbox outbox = RedisOutbox.withPrefix("{shop}:outbox");
 * try (AbstractTransaction tx = jedis.multi()) {
 *     tx.hset("{shop}:order:" + id, order);
 *     Outbox.bind(placed, outbox.persist(tx)).publish(new OrderPlaced(id));
 *     RedisOutbox.exec(tx).orThrow();
 * }
 * }</pre>
 *
 * <p><strong>What a transaction of Redis is, and what it is not.</strong> {@code EXEC} carries out all queued commands, with
 * nothing of others between them, or none: none after {@code DISCARD}, if a watched key has changed, if the connection is
 * lost before {@code EXEC}, or if the server refused to queue one of them. So messages exist when, and only when, the
 * transaction was executed (OBX-TX-1). But a command that fails <em>while it is carried out</em>, such as {@code INCR} of a
 * text, rolls nothing back: all others take effect, the messages too, and {@code exec()} of Jedis throws nothing. {@link #exec}
 * says what became of a transaction. Let commands fail before: check with {@code WATCH} what they depend on.
 *
 * <p><strong>In a cluster</strong> a transaction is on one server, so all its keys must be in one slot: give yours the hash tag
 * of the prefix. To use more than one slot, {@link #spread} an outbox.
 *
 * <p>Immutable and safe for use by several threads.
 */
public final class RedisOutbox {
    private static final RedisOutbox STANDARD = new RedisOutbox(new Names(Names.DEFAULT_PREFIX, 1), true);

    private final Names names;
    private final boolean wakeUps;

    private RedisOutbox(Names names, boolean wakeUps) {
        this.names = names;
        this.wakeUps = wakeUps;
    }

    /** The outbox whose keys begin with <code>{outbox}</code>. */
    public static RedisOutbox standard() {
        return STANDARD;
    }

    /**
     * The outbox whose keys begin with this.
     *
     * @param prefix at most 200 characters, with one hash tag that is not empty, as in <code>{shop}:outbox</code>
     * @throws ConfigurationException if it is not
     */
    public static RedisOutbox withPrefix(String prefix) {
        return new RedisOutbox(new Names(prefix, 1), true);
    }

    /**
     * The same, spread over several slots of a cluster: instead of the tag <code>{shop}</code> it has <code>{shop-0}</code>,
     * <code>{shop-1}</code> and so on, and a partition has the tag with the remainder of its number, whatever its topic. A
     * transaction is in one slot, so it writes to partitions of one tag, and its other keys have that {@link #tag} too; a
     * batch is of one slot as well, and slots take turns. Part of the outbox's name like the prefix: all writers and stores
     * must say the same, and to change it, drain the outbox first.
     *
     * @param tags how many, 1 to 256; as many as a topic has partitions is best
     * @throws ConfigurationException if there are fewer or more
     */
    public RedisOutbox spread(int tags) {
        return new RedisOutbox(new Names(names.prefix(), tags), wakeUps);
    }

    /**
     * The same, without telling relays of commits: they find messages by polling alone. For users that must not {@code
     * PUBLISH}.
     */
    public RedisOutbox withoutWakeUps() {
        return new RedisOutbox(names, false);
    }

    /** The hash tag, without its braces, that a partition's keys have: those of a transaction must have the same. */
    public String tag(int partition) {
        return names.tag(partition);
    }

    /**
     * Writes messages in a transaction that has begun, whichever client it is of. In a cluster, make it from a connection to
     * the right server: <code>new Transaction(cluster.getConnectionFromSlot(JedisClusterCRC16.getSlot("{" + tag + "}")), true,
     * true)</code>.
     *
     * <p>The id is known at once, and means nothing unless the transaction is executed. What it makes is used by one thread at a
     * time, like the transaction.
     *
     * @throws dev.outbox.MisuseException from {@link PersistFunc#persist} if {@code multi()} was not called (OBX-TX-1)
     */
    public PersistFunc persist(AbstractTransaction tx) {
        return new RedisPersist(tx, names, wakeUps ? Place.bytes(names.channel()) : null);
    }

    /**
     * Executes a transaction and says what became of it. Throws nothing that comes from Redis or from the way to it.
     *
     * @throws IllegalStateException if the transaction had not begun
     */
    public static Executed exec(AbstractTransaction tx) {
        try {
            return verify(tx.exec());
        } catch (JedisConnectionException e) {
            return new Executed.Unknown("the connection was lost before the answer came. " + Failures.describe(e), e);
        } catch (JedisDataException e) {
            return new Executed.NothingWritten("the server refused it. " + Failures.ofTransaction(e));
        } catch (JedisException e) {
            return new Executed.Unknown(Failures.describe(e), e);
        }
    }

    /**
     * What the result of {@code exec()} means.
     *
     * @param results as Jedis returns it, which is null if a watched key had changed
     */
    public static Executed verify(@Nullable List<Object> results) {
        if (results == null) {
            return new Executed.NothingWritten("a watched key was changed before EXEC. Read again and try again.");
        }
        List<String> errors = new ArrayList<>();
        for (int i = 0; i < results.size(); i++) {
            if (results.get(i) instanceof RuntimeException e) {
                errors.add("command " + (i + 1) + " of " + results.size() + ": " + e.getMessage());
            }
        }
        return errors.isEmpty()
                ? new Executed.Committed(results)
                : new Executed.PartlyWritten(results, String.join("; ", errors));
    }

    /**
     * A store of this outbox over a client of the application, which is never closed: a {@code RedisClient}, a {@code
     * RedisSentinelClient} or a {@code RedisClusterClient}. An open batch keeps no connection, but leases are renewed over the
     * same client: if it lets the store wait for a connection for longer than a lease, batches lose their holds. A wake-up
     * listener keeps one.
     *
     * @param options {@link StoreOptions#WORKERS} and {@link StoreOptions#CREATE_SCHEMA} are allowed and have no effect;
     *     {@code leaseMillis}, how long a hold survives its process, 100 or more, by default 10000; {@code wakeUps}, by default true
     * @throws ConfigurationException if an option is wrong or the server is set up in a way that loses messages, with what to
     *     change
     * @throws dev.outbox.StoreException if no server can be reached
     */
    public Store store(UnifiedJedis client, StoreOptions options) {
        JedisVersion.require();
        return Opening.store(client, names, wakeUps, options);
    }
}
