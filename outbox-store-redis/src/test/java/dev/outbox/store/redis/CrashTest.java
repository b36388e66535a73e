package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Store;
import dev.outbox.servers.RedisServer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.RedisClient;

/** The server is killed under writers and relays. */
@Tag("redis")
@Timeout(120)
class CrashTest {
    private static final int KILLS = 4;

    @Test
    void nothingAcknowledgedIsLostOrComesAgain() throws Exception {
        try (RedisServer server = RedisServer.packaged();
                RedisClient client = TestAddress.fresh(server.url()).client()) {
            TestAddress address = TestAddress.fresh(server.url());
            try (Store one = address.open();
                    Store two = address.open();
                    Load load = new Load()) {
                for (int writer = 0; writer < 3; writer++) {
                    load.write(writer, address.outbox(), 3, partition -> client.multi());
                }
                for (Store store : new Store[] {one, two, two}) {
                    load.relay(store);
                }
                for (int kill = 0; kill < KILLS; kill++) {
                    load.awaitSettled(100);
                    server.kill();
                    server.restart();
                }
                load.awaitSettled(100);
                load.finish(one, Set.of());
                assertTrue(load.failures.get() > 0, "the kills were noticed");
                Set<String> invented = new HashSet<>(load.delivered);
                invented.removeAll(load.committed);
                invented.removeAll(load.unknown);
                assertEquals(Set.of(), invented, "messages that nobody wrote");
                assertEquals(Set.of(), load.cameAgain, "messages whose close had been acknowledged");
                assertInOrder(load);
            }
        }
    }

    /** What a writer wrote to a partition came in that order; what came again after a kill is not looked at again. */
    static void assertInOrder(Load load) {
        Set<String> seen = new HashSet<>();
        Map<String, Integer> last = new HashMap<>();
        for (String text : load.delivered) {
            if (seen.add(text)) {
                int dash = text.indexOf('-');
                int number = Integer.parseInt(text.substring(dash + 1));
                String lane = text.substring(0, dash) + "/" + number % 3;
                Integer before = last.put(lane, number);
                assertTrue(before == null || before < number, text + " came after number " + before);
            }
        }
    }
}
