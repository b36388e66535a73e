package dev.outbox.servers;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which server is taken, seen from a process of its own with another environment. */
class WaysTest {
    /** A Docker engine that answers and has no images. */
    private static final class Engine implements AutoCloseable {
        private final HttpServer server;

        Engine(boolean hangs) throws IOException {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.setExecutor(Executors.newCachedThreadPool(task -> {
                Thread thread = new Thread(task);
                thread.setDaemon(true);
                return thread;
            }));
            server.createContext("/", exchange -> {
                String path = exchange.getRequestURI().getPath().replaceFirst("^/v[0-9.]+", "");
                switch (path) {
                    case "/_ping" -> answer(exchange, 200, "OK");
                    case "/info" ->
                        answer(
                                exchange,
                                200,
                                "{\"ServerVersion\":\"28.0\",\"OperatingSystem\":\"none\",\"OSType\":\"linux\","
                                        + "\"MemTotal\":8000000000,\"IndexServerAddress\":\"none\"}");
                    case "/version" ->
                        answer(
                                exchange,
                                200,
                                "{\"Version\":\"28.0\",\"ApiVersion\":\"1.44\",\"MinAPIVersion\":\"1.24\"}");
                    case "/images/create" -> {
                        if (!hangs) {
                            answer(exchange, 500, "{\"message\":\"no route to the registry\"}");
                        } // else whoever asks waits
                    }
                    default -> answer(exchange, 404, "{\"message\":\"no such image\"}");
                }
            });
            server.start();
        }

        private static void answer(HttpExchange exchange, int status, String body) throws IOException {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().add("Content-Type", "application/json");
            exchange.getResponseHeaders().add("Api-Version", "1.44");
            exchange.sendResponseHeaders(status, exchange.getRequestMethod().equals("HEAD") ? -1 : bytes.length);
            try (OutputStream out = exchange.getResponseBody()) {
                if (!exchange.getRequestMethod().equals("HEAD")) {
                    out.write(bytes);
                }
            }
        }

        String url() {
            return "tcp://127.0.0.1:" + server.getAddress().getPort();
        }

        @Override
        public void close() {
            server.stop(0);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anEngineThatCannotPullIsGivenUpInSeconds(boolean hangs, @TempDir Path home) throws Exception {
        try (Engine engine = new Engine(hangs)) {
            long start = System.nanoTime();
            String said = said(home, Map.of("DOCKER_HOST", engine.url()), RedisServer.ENVIRONMENT);
            assertTrue(said.contains("[test-servers] Redis not from container redis:"), said);
            assertTrue(said.contains("got redis://"), said);
            Duration took = Duration.ofNanos(System.nanoTime() - start);
            assertTrue(took.compareTo(Duration.ofMinutes(3)) < 0, took + ": " + said);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                RedisServer.ENVIRONMENT + "=redis://:x@127.0.0.1:1",
                RedisCluster.ENVIRONMENT + "=redis://:x@127.0.0.1:1,127.0.0.1:2",
                PostgresServer.ENVIRONMENT + "=jdbc:postgresql://127.0.0.1:1/x?user=a&password=b",
                MySqlServer.ENVIRONMENT + "=jdbc:mysql://127.0.0.1:1/?user=a&password=b",
                MariaDbServer.ENVIRONMENT + "=jdbc:mariadb://127.0.0.1:1/?user=a&password=b",
                MongoServer.ENVIRONMENT + "=mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=500",
                RabbitServer.ENVIRONMENT + "=amqp://a:b@127.0.0.1:1/%2F",
                NatsServer.ENVIRONMENT + "=nats://a:b@127.0.0.1:1",
                KafkaServer.ENVIRONMENT + "=127.0.0.1:1",
                SqsServer.ENVIRONMENT + "=http://127.0.0.1:1"
            })
    void aNamedServerThatCannotBeReachedIsAnErrorAndNoOtherIsTested(String setting, @TempDir Path home)
            throws Exception {
        int equals = setting.indexOf('=');
        String variable = setting.substring(0, equals);
        String said = said(home, Map.of(variable, setting.substring(equals + 1)), variable);
        assertTrue(said.contains("The environment variable " + variable + " names a server that cannot be used"), said);
        assertFalse(said.contains("got "), said);
    }

    @Test
    void aServerThatIsNoClusterIsNotTakenForOne(@TempDir Path home) throws Exception {
        try (RedisServer server = RedisServer.packaged()) {
            String said = said(home, Map.of(RedisCluster.ENVIRONMENT, server.url()), RedisCluster.ENVIRONMENT);
            assertTrue(said.contains(RedisCluster.ENVIRONMENT + " names a server that cannot be used"), said);
        }
    }

    /** The second is given the server when the first has ended. */
    @Test
    void aNamedServerHasOneProcessAtATime(@TempDir Path home) throws Exception {
        try (RedisServer server = RedisServer.packaged()) {
            Map<String, String> environment = Map.of(RedisServer.ENVIRONMENT, server.url());
            Process first = start(home, environment, RedisServer.ENVIRONMENT, "stay");
            try {
                assertTrue(line(first).startsWith("got redis://"));
                Process second = start(home, environment, RedisServer.ENVIRONMENT, "go");
                try {
                    String waiting = line(second);
                    assertTrue(waiting.contains("waiting for another test process"), waiting);
                    first.getOutputStream().close();
                    assertTrue(line(second).startsWith("got redis://"));
                } finally {
                    second.destroyForcibly();
                }
            } finally {
                first.destroyForcibly();
            }
        }
    }

    private static String line(Process process) throws IOException {
        StringBuilder line = new StringBuilder();
        InputStream in = process.getInputStream();
        for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
            line.append((char) c);
        }
        return line.toString();
    }

    private static String said(Path home, Map<String, String> environment, String variable) throws Exception {
        Process process = start(home, environment, variable, "go");
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(300, TimeUnit.SECONDS));
        return said;
    }

    private static Process start(Path home, Map<String, String> environment, String variable, String what)
            throws IOException {
        Files.createDirectories(home);
        ProcessBuilder builder = new ProcessBuilder(List.of(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-Duser.home=" + home,
                        "-Doutbox.test.container.seconds=10",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Ask.class.getName(),
                        variable,
                        what))
                .redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("OUTBOX_TEST_") || name.startsWith("DOCKER_"));
        builder.environment().putAll(environment);
        return builder.start();
    }

    static final class Ask {
        private Ask() {}

        public static void main(String[] args) throws IOException {
            try {
                System.out.println("got " + url(args[0]));
                if (args[1].equals("stay")) {
                    System.in.read();
                }
                System.exit(0);
            } catch (Exception e) {
                System.out.println(e);
                System.exit(1);
            }
        }

        private static String url(String variable) throws Exception {
            return switch (variable) {
                case RedisServer.ENVIRONMENT -> RedisServer.shared().url();
                case RedisCluster.ENVIRONMENT -> RedisCluster.shared().url();
                case PostgresServer.ENVIRONMENT -> PostgresServer.shared().newDatabase();
                case MySqlServer.ENVIRONMENT -> MySqlServer.shared().newDatabase();
                case MariaDbServer.ENVIRONMENT -> MariaDbServer.shared().newDatabase();
                case RabbitServer.ENVIRONMENT -> RabbitServer.shared().url();
                case NatsServer.ENVIRONMENT -> NatsServer.shared().url();
                case KafkaServer.ENVIRONMENT -> KafkaServer.shared();
                case SqsServer.ENVIRONMENT -> SqsServer.shared();
                default -> MongoServer.shared().url();
            };
        }
    }
}
