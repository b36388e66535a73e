package dev.outbox.examples.quickstart;

import dev.outbox.Outbox;
import dev.outbox.Topic;
import dev.outbox.store.redis.RedisOutbox;
import java.net.URI;
import java.util.List;
import java.util.Map;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisException;

/**
 * The shop in Redis: a hash per order, and a list of the orders of this run in the order of their commits. Both have
 * the hash tag of the outbox, and are written by the same {@code MULTI} as the message.
 */
final class RedisShop implements Shop {
    private static final String KEYS = RedisOutbox.DEFAULT_PREFIX + ":quickstart:";

    private final RedisClient client;
    private final String run;
    private final Topic<Order> orders;

    private RedisShop(RedisClient client, String run, Topic<Order> orders) {
        this.client = client;
        this.run = run;
        this.orders = orders;
    }

    static boolean accepts(String url) {
        return url.startsWith("redis://") || url.startsWith("rediss://");
    }

    static Shop open(String url, String run, Topic<Order> orders) {
        try {
            return new RedisShop(RedisClient.create(URI.create(url)), run, orders);
        } catch (JedisException | IllegalArgumentException e) {
            throw Failure.usage("The shop needs the URL of one server, as in redis://user:password@host:6379/0.");
        }
    }

    @Override
    public boolean take(OrderLine line) {
        Order order = line.order();
        try (AbstractTransaction tx = client.multi()) {
            String messageId = Outbox.bind(orders, RedisOutbox.persist(tx)).publish(order);
            tx.hset(
                    KEYS + run + ":" + order.number(),
                    Map.of(
                            "customer",
                            order.customer(),
                            "sku",
                            order.sku(),
                            "quantity",
                            Integer.toString(order.quantity()),
                            "cents",
                            Long.toString(order.cents()),
                            "currency",
                            order.currency(),
                            "placedAt",
                            order.placedAt().toString()));
            tx.rpush(KEYS + run, String.join("\t", order.number(), order.customer(), messageId));
            if (line.declined()) { // says the payment provider, when everything was queued already
                tx.discard();
                return false;
            }
            RedisOutbox.exec(tx).orThrow();
            return true;
        }
    }

    @Override
    public List<Committed> committed() {
        return client.lrange(KEYS + run, 0, -1).stream()
                .map(line -> line.split("\t", -1))
                .map(part -> new Committed(part[0], part[1], part[2]))
                .toList();
    }

    @Override
    public String orders() {
        return "entries of list " + KEYS + run;
    }

    @Override
    public void close() {
        client.close();
    }
}
