package dev.outbox.servers;

import dev.outbox.processes.Await;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A Prometheus of one's own that scrapes one process: the program that is on the path, else that of Debian's package,
 * which is unpacked and not installed. To be closed.
 */
public final class PrometheusServer implements AutoCloseable {
    private final HttpClient client = HttpClient.newHttpClient();
    private final Path directory;
    private final Commands commands;
    private final Process process;
    private final URI api;

    /**
     * Starts it, and waits until it answers.
     *
     * @param port of {@code 127.0.0.1}, where {@code /metrics} is
     * @param every how often it scrapes
     */
    public PrometheusServer(int port, Duration every) throws IOException, InterruptedException {
        directory = Files.createTempDirectory("outbox-prometheus");
        commands = new Commands(Files.createFile(directory.resolve("log")));
        Path settings = Files.writeString(directory.resolve("settings.yml"), """
                global: {scrape_interval: %1$sms, scrape_timeout: %1$sms}
                scrape_configs:
                  - job_name: outbox
                    static_configs: [{targets: ["127.0.0.1:%2$d"]}]
                """.formatted(every.toMillis(), port));
        String address = "127.0.0.1:" + Ports.free();
        api = URI.create("http://" + address + "/");
        process = commands.start(
                "",
                List.of(
                        program(commands).toString(),
                        "--config.file=" + settings,
                        "--storage.tsdb.path=" + directory.resolve("data"),
                        "--web.listen-address=" + address));
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly, "stop-prometheus"));
        try {
            awaitReady();
        } catch (IOException | InterruptedException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private static Path program(Commands commands) throws IOException, InterruptedException {
        for (String folder : System.getenv("PATH").split(File.pathSeparator, -1)) {
            Path program = Path.of(folder, "prometheus");
            if (Files.isExecutable(program)) {
                return program;
            }
        }
        return Promtool.unpacked(commands).resolve("prometheus");
    }

    private void awaitReady() throws IOException, InterruptedException {
        long deadline = System.nanoTime() + Await.PATIENCE.toNanos();
        while (true) {
            try {
                if (get("-/ready").statusCode() == 200) {
                    return;
                }
            } catch (IOException e) {
                // It does not listen yet.
            }
            if (!process.isAlive() || System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("prometheus did not start: " + commands.tail());
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(api.resolve(path))
                .timeout(Duration.ofSeconds(30))
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    /**
     * The answer to a query, as of now: JSON, as the API of Prometheus has it.
     *
     * @throws AssertionError if Prometheus refuses the query
     */
    public String query(String query) throws IOException, InterruptedException {
        HttpResponse<String> answer = get("api/v1/query?query=" + URLEncoder.encode(query, StandardCharsets.UTF_8));
        if (answer.statusCode() != 200) {
            throw new AssertionError(query + ": " + answer.body());
        }
        return answer.body();
    }

    @Override
    public void close() {
        process.destroyForcibly()
                .onExit()
                .orTimeout(Await.PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .join();
        try {
            Databases.deleteTree(directory);
        } catch (IOException | UncheckedIOException e) {
            System.err.println("[test-servers] Prometheus left files behind: " + e);
        }
    }
}
