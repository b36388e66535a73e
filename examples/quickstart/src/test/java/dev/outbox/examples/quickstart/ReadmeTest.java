package dev.outbox.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;

class ReadmeTest {
    /** The tests run in the folder of their module. */
    private static final Path ROOT = Path.of("..", "..");

    private static final Path SOURCE =
            Path.of("src", "test", "java", "dev", "outbox", "examples", "quickstart", "ReadmeExample.java");

    @Test
    void theCodeOfTheReadmeIsTheCodeThatIsRun() throws IOException {
        List<String> source = Files.readAllLines(SOURCE);
        int start = indexOf(source, "// README starts");
        int end = indexOf(source, "// README ends");
        assertTrue(end - start > 10, "the example's markers are too close together");
        String code = String.join("\n", source.subList(start + 1, end)).stripIndent();

        String readme = Files.readString(ROOT.resolve("README.md"));
        assertTrue(
                readme.contains("```java\n" + code + "\n```"),
                () -> "README.md should contain the code of " + SOURCE + " between its markers:\n" + code);
    }

    @Test
    void theCodeOfTheReadmeWorks() throws Exception {
        String url = "jdbc:h2:mem:readme;DB_CLOSE_DELAY=-1";
        ReadmeExample.Order order = new ReadmeExample.Order("SO-1", "C-1");
        CountDownLatch shutdown = new CountDownLatch(1);
        CompletableFuture<ReadmeExample.Order> sent = new CompletableFuture<>();
        ReadmeExample.Broker broker = (id, message) -> {
            sent.complete(message);
            return "broker-" + id;
        };
        try (HikariDataSource dataSource = new HikariDataSource()) {
            dataSource.setJdbcUrl(url);
            DSLContext dsl = DSL.using(dataSource, SQLDialect.H2);
            dsl.execute("create table orders (number varchar(20) primary key, customer varchar(20))");
            CompletableFuture<Void> example = CompletableFuture.runAsync(() -> {
                try {
                    ReadmeExample.run(url, dataSource, dsl, broker, order, shutdown);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            // Whichever comes first, so that a failure of the example is what the test reports.
            CompletableFuture.anyOf(example, sent).get(60, TimeUnit.SECONDS);
            assertEquals(order, sent.get(1, TimeUnit.SECONDS));
            shutdown.countDown();
            example.get(60, TimeUnit.SECONDS);
            assertEquals(1, dsl.fetchCount(DSL.table("orders")));
        }
    }

    private static int indexOf(List<String> lines, String marker) {
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).strip().equals(marker)) {
                return i;
            }
        }
        throw new AssertionError(SOURCE + " has no line " + marker);
    }
}
