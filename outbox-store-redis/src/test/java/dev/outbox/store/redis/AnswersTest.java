package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.processes.Sockets;
import dev.outbox.servers.RedisServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/** What servers answer, and what is made of it when it is not what is expected. */
@Tag("redis")
@Timeout(300)
class AnswersTest {
    private final TestAddress address = TestAddress.fresh(RedisServer.shared().url());
    private final KeySpace keySpace = new KeyNames(address.prefix(), 1).keySpace(0);

    /** An answer that does not fit into memory: nobody is given the rest of it for an answer of his own. */
    @ParameterizedTest
    @ValueSource(strings = {"own", "of the application", "that gives no connection away"})
    void aConnectionWithUnreadAnswersIsNeverUsedAgain(String client) throws Exception {
        try (Spoiled spoiled = new Spoiled(address.endpoint());
                RedisClient through = address.through(
                                new InetSocketAddress(InetAddress.getLoopbackAddress(), spoiled.port()))
                        .client()) {
            RedisClientAdapter adapter =
                    client.equals("own") ? RedisClientAdapter.own(through, c -> {}) : RedisClientAdapter.of(through);
            List<Command> read = List.of(Command.of(
                    Protocol.Command.XRANGE, keySpace.key("none"), KeySpace.bytes("-"), KeySpace.bytes("+")));
            List<Command> count = List.of(Command.of(Protocol.Command.ZCARD, keySpace.ready()));
            for (int round = 0; round < 3; round++) {
                spoiled.next();
                assertThrows(OutOfMemoryError.class, () -> send(adapter, through, client, read));
                for (int i = 0; i < 4; i++) {
                    assertEquals(List.of(0L), send(adapter, through, client, count));
                }
            }
        }
    }

    private List<Object> send(RedisClientAdapter adapter, RedisClient client, String which, List<Command> commands) {
        return which.startsWith("that")
                ? Pipelined.send(client.pipelined(), commands)
                : adapter.send(keySpace, commands);
    }

    /** Leads to a server, but answers a read by itself when it is told to: with more than fits into memory. */
    private static final class Spoiled implements AutoCloseable {
        private static final byte[] ANSWER =
                "$2147483646\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n".getBytes(StandardCharsets.US_ASCII);

        private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        private final InetSocketAddress server;
        private final AtomicBoolean spoil = new AtomicBoolean();

        Spoiled(InetSocketAddress server) throws IOException {
            this.server = server;
            Sockets.start("answers", () -> {
                while (true) {
                    Socket client = listener.accept();
                    Socket upstream = new Socket(this.server.getAddress(), this.server.getPort());
                    Sockets.start("answers", () -> carry(client, upstream, true));
                    Sockets.start("answers", () -> carry(upstream, client, false));
                }
            });
        }

        int port() {
            return listener.getLocalPort();
        }

        void next() {
            spoil.set(true);
        }

        private void carry(Socket from, Socket to, boolean requests) throws IOException {
            try (from;
                    to) {
                InputStream in = from.getInputStream();
                byte[] bytes = new byte[64 * 1024];
                for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
                    String text = new String(bytes, 0, count, StandardCharsets.ISO_8859_1);
                    boolean spoilt = requests && text.contains("XRANGE") && spoil.compareAndSet(true, false);
                    OutputStream out = (spoilt ? from : to).getOutputStream();
                    if (spoilt) {
                        out.write(ANSWER);
                    } else {
                        out.write(bytes, 0, count);
                    }
                }
            }
        }

        @Override
        public void close() throws IOException {
            listener.close();
        }
    }

    /** Before Redis 7 what goes wrong in a script is wrapped. */
    @Test
    void whatServersSayInScriptsIsUnderstood() {
        Map<String, Trouble> expected = Map.of(
                "READONLY You can't write against a read only replica.",
                Trouble.READ_ONLY,
                "ERR Error running script (call to f_2f3c): @user_script:3: @user_script: 3: -READONLY You can't write against a"
                        + " read only replica.",
                Trouble.READ_ONLY,
                "ERR Error running script (call to f_2f3c): @user_script:5: @user_script: 5: -CLUSTERDOWN Hash slot not served",
                Trouble.MOVING,
                "LOADING Redis is loading the dataset in memory",
                Trouble.MOVING,
                "ERR Error running script (call to f_2f3c): @user_script:5: @user_script: 5: -MASTERDOWN Link with MASTER is down",
                Trouble.MOVING,
                "NOSCRIPT No matching script. Please use EVAL.",
                Trouble.UNKNOWN_SCRIPT,
                "WRONGTYPE Operation against a key holding the wrong kind of value",
                Trouble.NONE,
                "ERR unknown command 'READONLY thing'",
                Trouble.NONE);
        expected.forEach(
                (text, trouble) -> assertEquals(trouble, Trouble.of(List.of(new JedisDataException(text))), text));
    }

    /** As in a failover whose new master is not known yet: it passes, so it is no wrong set-up, and nothing of it stays. */
    @Test
    void aMasterThatIsDemotedIsTriedAgain() throws Exception {
        try (RedisServer server = RedisServer.packaged()) {
            TestAddress demoted = TestAddress.fresh(server.url());
            try (Jedis jedis = server.connect();
                    RedisClient writer = demoted.client();
                    Store store = demoted.openWithShortLeases()) {
                try (AbstractTransaction tx = writer.multi()) {
                    demoted.outbox().persist(tx).persist(RedisStoreTest.message(0, "m"));
                    RedisOutbox.exec(tx).orThrow();
                }
                MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 1);
                batch.markFailed(batch.messages().get(0), "away", Duration.ZERO);
                jedis.replicaof("127.0.0.1", 1); // nobody there, so that it keeps what it has
                for (Executable each : List.<Executable>of(
                        batch::close,
                        () -> store.checkout(Set.of(RedisStoreTest.TOPIC), 1),
                        () -> Operations.of(store).retryNow(RedisStoreTest.TOPIC, 0))) {
                    StoreException said = assertThrows(StoreException.class, each);
                    assertTrue(String.valueOf(said.getMessage()).contains("is a replica now"), said::toString);
                }
                ConfigurationException atOpening = assertThrows(ConfigurationException.class, demoted::open);
                assertTrue(String.valueOf(atOpening.getMessage()).contains("open the master"), atOpening::toString);
                jedis.replicaofNoOne();
                Load.await(() -> RedisStoreTest.publishAll(store, 1).equals(List.of("m")), "the message");
            }
        }
    }

    /** Or a server with a bad setting would be taken for a good one as soon as it does not answer. */
    @Test
    void aServerThatDoesNotSayHowItIsSetIsNotSetWell() {
        try (RedisClient away = RedisClient.create("127.0.0.1", 1)) {
            ServerCheck check = new ServerCheck(new RetryingClient(RedisClientAdapter.of(away)), false);
            KeyNames keyNames = new KeyNames(address.prefix(), 1);
            assertThrows(JedisException.class, () -> check.unfit(keyNames));
        }
    }

    /** They may be a password, if the server has no AUTH. */
    @Test
    void argumentsThatAServerRepeatsAreLeftOut() {
        RuntimeException e = new JedisConnectionException(
                "The login failed",
                new JedisDataException(
                        "ERR unknown command 'AUTH', with args beginning with: 'app' 'open sesame'\n 'x' "));
        assertEquals("The login failed; caused by ERR unknown command 'AUTH'", StoreErrors.describe(e));
    }

    private static void check(boolean cluster, String info) {
        try (RedisClient client = TestAddress.fresh(RedisServer.shared().url()).client()) {
            new ServerCheck(new RetryingClient(RedisClientAdapter.of(client)), cluster)
                    .checkSettings(ServerCheck.info(info));
        }
    }

    /** Valkey has server_mode where Redis has redis_mode; what is missing is no value. */
    @Test
    void serversOfOtherNamesAreKnownForWhatTheyAre() {
        for (String node : List.of(
                "redis_version:7.2.4\r\nserver_name:valkey\r\nserver_mode:cluster\r\nrole:master\r\ncluster_enabled:1\r\n",
                "redis_version:7.0.15\r\nredis_mode:cluster\r\nrole:master\r\ncluster_enabled:1\r\n",
                "server_mode:cluster\r\n")) {
            assertDoesNotThrow(() -> check(true, node));
            assertTrue(assertThrows(ConfigurationException.class, () -> check(false, node))
                    .getMessage()
                    .contains("cluster=true"));
        }
        for (String server : List.of("server_mode:standalone\r\ncluster_enabled:0\r\n", "redis_mode:standalone\r\n")) {
            assertDoesNotThrow(() -> check(false, server));
            assertThrows(ConfigurationException.class, () -> check(true, server));
        }
        for (boolean cluster : new boolean[] {true, false}) {
            assertDoesNotThrow(() -> check(cluster, "redis_version:6.2.0\r\n"));
            assertTrue(assertThrows(ConfigurationException.class, () -> check(cluster, "server_mode:sentinel\r\n"))
                    .getMessage()
                    .contains("sentinel="));
        }
    }
}
