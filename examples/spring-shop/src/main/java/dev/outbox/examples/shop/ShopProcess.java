package dev.outbox.examples.shop;

import com.example.shop.ShopApplication;
import dev.outbox.processes.Await;
import dev.outbox.processes.ChildJvm;
import dev.outbox.servers.Ports;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** The shop in a process of its own. */
final class ShopProcess implements AutoCloseable {
    private static final Duration START = Duration.ofMinutes(5);
    private static final Duration ANSWER = Duration.ofSeconds(30);
    private static final int OK = 200;

    private final HttpClient client = HttpClient.newHttpClient();
    private final Process process;
    private final int port;
    private final Path log;

    private ShopProcess(Process process, int port, Path log) {
        this.process = process;
        this.port = port;
        this.log = log;
    }

    /** The shop of this class path; returns when it takes orders. */
    static ShopProcess start(String database, String kafka, Path logs) throws Exception {
        return start(arguments -> ChildJvm.of(ShopApplication.class, 256, List.of(), arguments), database, kafka, logs);
    }

    /** A shop that is started with these arguments; returns when it takes orders. */
    static ShopProcess start(Function<List<String>, ProcessBuilder> command, String database, String kafka, Path logs)
            throws Exception {
        int port = Ports.free();
        Path log = Files.createDirectories(logs).resolve("shop-" + port + ".log");
        Process process = command.apply(List.of(
                        "--spring.datasource.url=" + database,
                        "--spring.kafka.bootstrap-servers=" + kafka,
                        "--server.port=" + port))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        ShopProcess shop = new ShopProcess(process, port, log);
        Await.until("the shop is up; see " + log, START, shop::isUp);
        return shop;
    }

    private boolean isUp() throws InterruptedException {
        if (!process.isAlive()) {
            throw new AssertionError("The shop has ended; see " + log);
        }
        try {
            return send("GET", "/actuator/health") == OK;
        } catch (IOException e) {
            return false; // not yet
        }
    }

    /** Whether the shop says that it has the order. If it is killed meanwhile, it may have it without saying so. */
    boolean order(String number, String customer) throws InterruptedException {
        int status;
        try {
            status = send("POST", "/orders?number=" + number + "&customer=" + customer);
        } catch (IOException e) {
            return false;
        }
        if (status != OK) {
            throw new AssertionError("The shop answered " + status + "; see " + log);
        }
        return true;
    }

    private int send(String method, String path) throws IOException, InterruptedException {
        return client.send(
                        HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                                .timeout(ANSWER)
                                .method(method, HttpRequest.BodyPublishers.noBody())
                                .build(),
                        HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    /** As by {@code kill -9}; returns the exit code. */
    int kill() throws InterruptedException {
        return process.destroyForcibly().waitFor();
    }

    /** As an operator ends it; returns whether it has ended within a minute. */
    boolean stop() throws InterruptedException {
        process.destroy();
        return process.waitFor(60, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
