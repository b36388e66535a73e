package dev.outbox.spring.boot4;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.outbox.Codecs;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.spring.OutboxPublisher;
import dev.outbox.spring.OutboxRelay;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/** What Spring Boot 4 does to the contexts of tests: it pauses them, and says where their servers are. */
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.NONE)
class ContextsOfTestsTest {
    private static final List<String> SENT = new CopyOnWriteArrayList<>();

    @Autowired
    ConfigurableApplicationContext application;

    @Autowired
    OutboxPublisher<String> orders;

    @Autowired
    OutboxRelay relay;

    @Autowired
    PlatformTransactionManager transactions;

    @Autowired
    JdbcTemplate jdbc;

    @Test
    void aContextThatIsPausedPublishesLater() throws Exception {
        application.pause();
        assertFalse(relay.isRunning());
        place("meanwhile");
        assertEquals(List.of(), SENT);
        application.restart();
        Await.until("the order is published", () -> !SENT.isEmpty());
        assertEquals(List.of("meanwhile"), SENT);
    }

    /** Like those of a container, by {@code @ServiceConnection}. */
    @Test
    void theOutboxIsWhereTheConnectionDetailsSay() throws Exception {
        assertEquals("DETAILS", jdbc.queryForObject("select database()", String.class));
    }

    private void place(String number) {
        new TransactionTemplate(transactions).executeWithoutResult(status -> orders.publish(number));
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Shop {
        @Bean
        JdbcConnectionDetails details() {
            return new JdbcConnectionDetails() {
                @Override
                public String getUsername() {
                    return "sa";
                }

                @Override
                public String getPassword() {
                    return "";
                }

                @Override
                public String getJdbcUrl() {
                    return "jdbc:h2:mem:details";
                }
            };
        }

        @Bean
        Topic<String> orders() {
            return Topic.builder("orders", Codecs.text())
                    .publisher(delivery -> {
                        SENT.add(delivery.message());
                        return Receipt.of(delivery.id());
                    })
                    .build();
        }
    }
}
