package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import redis.clients.jedis.UnifiedJedis;

/** The tests run with two versions of Jedis; this says which it is. */
class JedisTest {
    @Test
    void itIsTheVersionThatIsMeant() {
        String expected = System.getProperty("outbox.test.jedis", "");
        String jar = UnifiedJedis.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .getPath();
        assertEquals("jedis-" + expected + ".jar", jar.substring(jar.lastIndexOf('/') + 1));
    }
}
