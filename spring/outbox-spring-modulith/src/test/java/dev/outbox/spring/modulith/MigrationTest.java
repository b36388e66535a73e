package dev.outbox.spring.modulith;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.shop.order.OrderManagement;
import dev.outbox.processes.Await;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.modulith.events.EventExternalizationConfiguration;
import org.springframework.modulith.events.IncompleteEventPublications;
import org.springframework.modulith.events.support.DelegatingEventExternalizer;

/** What {@code docs/MODULITH.md} and {@code docs/MIGRATING.md} show. */
class MigrationTest {
    private static final Path DOCS = Path.of("..", "..", "docs");

    @Test
    void thePageFindsWhatTheRegistryHasNotSent() throws Exception {
        String query = blocks("sql", "MIGRATING.md").get(0);
        try (Shop shop = Shop.open(
                List.of(BrokerOfSpringModulith.class),
                "spring.modulith.events.externalization.mode=module-listener",
                "logging.level.root=off")) {
            BrokerOfSpringModulith broker = shop.bean(BrokerOfSpringModulith.class);
            broker.isAway = true;
            shop.bean(OrderManagement.class).complete("SO-1", "C-1");
            Await.until("it was tried", () -> broker.tries == 1);
            assertEquals(1, shop.jdbc().queryForObject(query, Integer.class));
            broker.isAway = false;
            // As long as the first try has not ended, nothing is resubmitted.
            Await.until("the registry has sent it", () -> {
                shop.bean(IncompleteEventPublications.class).resubmitIncompletePublications(publication -> true);
                Integer left = shop.jdbc().queryForObject(query, Integer.class);
                return left != null && left == 0;
            });
            assertTrue(broker.tries > 1, "tries: " + broker.tries);
        }
    }

    @Test
    void everySnippetIsTested() throws IOException {
        List<String> sources = new ArrayList<>();
        try (Stream<Path> files = Files.walk(Path.of("src", "test", "java"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                sources.add(words(Files.readString(file)));
            }
        }
        List<String> snippets = blocks("java", "MODULITH.md");
        snippets.addAll(blocks("properties", "MODULITH.md"));
        assertEquals(4, snippets.size());
        assertEquals(
                List.of(),
                snippets.stream()
                        .filter(snippet -> sources.stream().noneMatch(source -> source.contains(words(snippet))))
                        .toList(),
                "in no test");
    }

    private static List<String> blocks(String language, String document) throws IOException {
        List<String> blocks = new ArrayList<>();
        Matcher block = Pattern.compile("```" + language + "\\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(DOCS.resolve(document)).replace("\r\n", "\n"));
        while (block.find()) {
            blocks.add(block.group(1));
        }
        return blocks;
    }

    private static String words(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }

    /** Sends as the artifacts of Spring Modulith for brokers do. */
    @Configuration(proxyBeanMethods = false)
    @SuppressWarnings({"deprecation", "removal"}) // in Spring Modulith 2.1
    static class BrokerOfSpringModulith {
        private volatile boolean isAway;
        private volatile int tries;

        @Bean
        DelegatingEventExternalizer externalizer(EventExternalizationConfiguration configuration) {
            return new DelegatingEventExternalizer(configuration, (target, payload) -> send());
        }

        private synchronized CompletableFuture<?> send() {
            tries++;
            return isAway
                    ? CompletableFuture.failedFuture(new IllegalStateException("the broker is away"))
                    : CompletableFuture.completedFuture("sent");
        }
    }
}
