package dev.outbox.store.redis;

import dev.outbox.ConfigurationException;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.StoreOption;
import dev.outbox.StoreOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * The outbox in Redis 6.2 or newer: on one server, under Sentinel, or in a cluster. Messages are queued in the
 * transaction of the application; relays read them from a {@link Store} of the same prefix.
 *
 * <pre>{@code
 * try (AbstractTransaction tx = jedis.multi()) {
 *     tx.hset("{outbox}:order:" + id, order);
 *     Outbox.bind(placed, RedisOutbox.persist(tx)).publish(new OrderPlaced(id));
 *     RedisOutbox.exec(tx).orThrow();
 * }
 * }</pre>
 *
 * <p>The keys of the outbox begin with <code>{outbox}</code>, unless another prefix is chosen by {@link #named}.
 *
 * <p><strong>What a transaction of Redis is, and what it is not.</strong> {@code EXEC} carries out all queued commands,
 * with nothing of others between them, or none: none after {@code DISCARD}, if a watched key has changed, if the
 * connection is lost before {@code EXEC}, or if the server refused to queue one of them. So messages exist when, and
 * only when, the transaction was executed (OBX-TX-1). But a command that fails <em>while it is carried out</em>, such
 * as {@code INCR} of a text, rolls nothing back: all others take effect, the messages too, and {@code exec()} of Jedis
 * throws nothing. {@link #exec} says what became of a transaction. Let commands fail before: check with {@code WATCH}
 * what they depend on.
 *
 * <p><strong>In a cluster</strong> a transaction is on one server, so all its keys must be in one slot: give yours the
 * hash tag of the prefix. To use more than one slot, {@linkplain Named#spread spread} an outbox.
 */
public final class RedisOutbox {
    /** What the names of the keys begin with unless another prefix is given. */
    public static final String DEFAULT_PREFIX = "{outbox}";

    /**
     * The option {@code spread}: over how many hash tags the outbox is spread, 1 to 256, by default 1, see {@link
     * Named#spread}. Writers and stores must say the same.
     */
    public static final StoreOption<Integer> SPREAD = StoreOption.number("spread", 1);

    /**
     * The option {@code leaseMillis}: how long a batch holds its partitions after its process has died; at least 100
     * milliseconds, by default 10 seconds. A living process renews its leases. A process that is paused for longer
     * loses them.
     */
    public static final StoreOption<Duration> LEASE = StoreOption.millis("leaseMillis", Duration.ofMillis(100));

    /** The value of {@link #LEASE} unless it is set: 10 seconds. */
    public static final Duration DEFAULT_LEASE = Duration.ofSeconds(10);

    /**
     * The option {@code sentinelUser}, for URLs that name sentinels: the user to log in to these as. A text. By default
     * there is none.
     */
    public static final StoreOption<String> SENTINEL_USER = StoreOption.text("sentinelUser");

    /**
     * The option {@code sentinelPassword}, for URLs that name sentinels: the password to log in to these with. A text.
     * By default there is none.
     */
    public static final StoreOption<String> SENTINEL_PASSWORD = StoreOption.text("sentinelPassword");

    private static final Named STANDARD = new Named(new KeyNames(DEFAULT_PREFIX, 1), true);

    private RedisOutbox() {}

    /**
     * Writes messages in a transaction that has begun, under the default prefix. The transaction may be of any client
     * of Jedis. In a cluster, make it from a connection to the right server: <code>new
     * Transaction(cluster.getConnectionFromSlot(JedisClusterCRC16.getSlot("{" + tag + "}")), true, true)</code>.
     *
     * <p>The id is known when the call returns, and means nothing unless the transaction is executed. What it makes is
     * used by one thread at a time, like the transaction.
     *
     * @throws dev.outbox.MisuseException from {@link PersistFunc#persist} if {@code multi()} was not called (OBX-TX-1)
     */
    public static PersistFunc persist(AbstractTransaction tx) {
        return STANDARD.persist(tx);
    }

    /**
     * A store over a client of the application, which is never closed: a {@code RedisClient}, a {@code
     * RedisSentinelClient} or a {@code RedisClusterClient}. An open batch keeps no connection, but leases are renewed
     * over the same client: if it lets the store wait for a connection for longer than a lease, batches lose their
     * holds. A listener for wake-ups keeps one connection.
     *
     * @param options {@link StoreOptions#PREFIX}, {@link #SPREAD}, {@link #LEASE}; {@link StoreOptions#WAKE_UP}, by
     *     default true, lets the store listen for commits when a relay asks for wake-ups; {@link
     *     StoreOptions#CREATE_SCHEMA} is kept already, because there is nothing to create.
     * @throws ConfigurationException if an option is wrong or the server is set up in a way that loses messages, with
     *     what to change
     * @throws dev.outbox.StoreException if no server can be reached
     */
    public static Store store(UnifiedJedis client, StoreOptions options) {
        return new Named(StoreOpener.names(options), true).store(client, options);
    }

    /**
     * The outbox whose keys begin with another prefix. Outboxes with different prefixes never meet. A store that is
     * opened by URL has the prefix as the option {@link StoreOptions#PREFIX}.
     *
     * @param prefix at most 200 characters, with one hash tag that is not empty, as in <code>{shop}:outbox</code>
     * @throws ConfigurationException if it has another form
     */
    public static Named named(String prefix) {
        return new Named(new KeyNames(prefix, 1), true);
    }

    /**
     * Executes a transaction and says what became of it. Throws nothing that comes from Redis or from the way to it.
     *
     * @throws IllegalStateException if the transaction had not begun
     */
    public static TransactionResult exec(AbstractTransaction tx) {
        try {
            return verify(tx.exec());
        } catch (JedisConnectionException e) {
            return new TransactionResult.Unknown(
                    "the connection was lost before the answer came. " + StoreErrors.describe(e), e);
        } catch (JedisDataException e) {
            return new TransactionResult.NothingWritten("the server refused it. " + StoreErrors.ofTransaction(e));
        } catch (JedisException e) {
            return new TransactionResult.Unknown(StoreErrors.describe(e), e);
        }
    }

    /**
     * What the result of {@code exec()} means.
     *
     * @param results as Jedis returns it, which is null if a watched key had changed
     */
    public static TransactionResult verify(@Nullable List<Object> results) {
        if (results == null) {
            return new TransactionResult.NothingWritten(
                    "a watched key was changed before EXEC. Read again and try again.");
        }
        List<String> errors = new ArrayList<>();
        for (int i = 0; i < results.size(); i++) {
            if (results.get(i) instanceof RuntimeException e) {
                errors.add("command " + (i + 1) + " of " + results.size() + ": " + StoreErrors.text(e));
            }
        }
        return errors.isEmpty()
                ? new TransactionResult.Committed(results)
                : new TransactionResult.PartlyWritten(results, String.join("; ", errors));
    }

    /**
     * One outbox, by the prefix of its keys. It does what {@link RedisOutbox} does with the default prefix. Immutable,
     * and safe for use by several threads.
     */
    public static final class Named {
        private final KeyNames keyNames;
        private final boolean wakeUp;

        private Named(KeyNames keyNames, boolean wakeUp) {
            this.keyNames = keyNames;
            this.wakeUp = wakeUp;
        }

        /** As {@link RedisOutbox#persist}. */
        public PersistFunc persist(AbstractTransaction tx) {
            return new RedisPersist(tx, keyNames, wakeUp ? KeySpace.bytes(keyNames.channel()) : null);
        }

        /**
         * As {@link RedisOutbox#store}; without wake-ups also if this is {@link #withoutWakeUps}.
         *
         * @throws ConfigurationException also if an option says something else than this outbox
         */
        public Store store(UnifiedJedis client, StoreOptions options) {
            JedisVersion.require();
            requireSame(options, StoreOptions.PREFIX, keyNames.prefix());
            requireSame(options, SPREAD, keyNames.spread());
            if (!wakeUp) {
                requireSame(options, StoreOptions.WAKE_UP, false);
            }
            return StoreOpener.store(client, keyNames, wakeUp, options);
        }

        private static <T> void requireSame(StoreOptions options, StoreOption<T> option, T own) {
            T other = options.get(option);
            if (other != null && !other.equals(own)) {
                throw new ConfigurationException("The option " + option + " is '" + other
                        + "', and the store is to be opened" + " with '" + own + "'. Leave the option away.");
            }
        }

        /**
         * The same, spread over several slots of a cluster: instead of the tag <code>{shop}</code> it has
         * <code>{shop-0}</code>, <code>{shop-1}</code> and so on. A partition has the tag with the remainder of its
         * number, whatever its topic. A transaction is in one slot, so it writes to partitions of one tag, and its
         * other keys have that {@link #tag} too. A batch is of one slot as well, and slots take turns. The number of
         * tags is a part of the name like the prefix: all writers and stores must say the same, and to change it, drain
         * the outbox first.
         *
         * @param tags how many, 1 to 256; as many as a topic has partitions is best
         * @throws ConfigurationException if there are fewer or more
         */
        public Named spread(int tags) {
            return new Named(new KeyNames(keyNames.prefix(), tags), wakeUp);
        }

        /**
         * The same, without telling relays of commits: they find messages by polling alone. For users that must not
         * {@code PUBLISH}.
         */
        public Named withoutWakeUps() {
            return new Named(keyNames, false);
        }

        /**
         * The hash tag, without its braces, that the keys of a partition have: those of a transaction must have the
         * same.
         */
        public String tag(int partition) {
            return keyNames.tag(partition);
        }

        /** The prefix. */
        @Override
        public String toString() {
            return keyNames.prefix();
        }
    }
}
