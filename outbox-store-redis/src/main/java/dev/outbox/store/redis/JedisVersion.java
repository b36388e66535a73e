package dev.outbox.store.redis;

import dev.outbox.ConfigurationException;

/**
 * Which Jedis a store needs: frameworks manage its version, and an older one lacks classes, of which a
 * {@link NoClassDefFoundError} would say nothing that helps.
 */
final class JedisVersion {
    static final String LEAST = "7.4";

    private JedisVersion() {}

    /** @throws ConfigurationException if it is too old, with what to set */
    static void require() {
        try {
            for (String name : new String[] {"RedisClient", "RedisSentinelClient", "RedisClusterClient"}) {
                Class.forName("redis.clients.jedis." + name, false, JedisVersion.class.getClassLoader());
            }
        } catch (ClassNotFoundException e) {
            throw new ConfigurationException(
                    "The Jedis on the class path is too old; the store needs " + LEAST + " or newer. If Spring Boot"
                            + " manages its version, set the property jedis.version to 7.5.3, or to 8.0.2, in your"
                            + " build; else depend on redis.clients:jedis of that version.",
                    e);
        }
    }
}
