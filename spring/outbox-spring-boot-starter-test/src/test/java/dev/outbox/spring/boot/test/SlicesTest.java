package dev.outbox.spring.boot.test;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.outbox.Codecs;
import dev.outbox.Topic;
import dev.outbox.spring.OutboxPublisher;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.autoconfigure.jdbc.JdbcTest;
import org.springframework.boot.test.autoconfigure.orm.jpa.DataJpaTest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.test.context.transaction.TestTransaction;

/** Slices of an application have its outbox: in the transaction of the test, and after its commit. */
class SlicesTest {
    @SpringBootConfiguration
    @EnableAutoConfiguration
    static class Application {}

    @Configuration(proxyBeanMethods = false)
    static class Topics {
        @Bean
        Topic<String> orders() {
            return Topic.builder("orders", Codecs.text()).build();
        }
    }

    abstract static class Slice {
        @Autowired
        OutboxPublisher<String> publisher;

        @Autowired
        Topic<String> orders;

        @Autowired
        OutboxTester outbox;

        void messagesAreOfTheTransactionOfTheTest() {
            publisher.publish("SO-1");
            assertEquals(List.of("SO-1"), outbox.pending(orders));
            TestTransaction.end();
            assertEquals(List.of(), outbox.pending(orders));
            TestTransaction.start();
            publisher.publish("SO-2");
            TestTransaction.flagForCommit();
            TestTransaction.end();
            outbox.drain();
            assertEquals(List.of("SO-2"), outbox.published(orders));
        }
    }

    @Nested
    @JdbcTest
    @AutoConfigureOutbox
    @Import(Topics.class)
    class OfJdbc extends Slice {
        @Test
        void aMessageIsOfTheTransactionOfTheTest() {
            messagesAreOfTheTransactionOfTheTest();
        }
    }

    @Nested
    @Tag("versions")
    @DataJpaTest
    @AutoConfigureOutbox
    @Import(Topics.class)
    class OfJpa extends Slice {
        @Test
        void aMessageIsOfTheTransactionOfTheTest() {
            messagesAreOfTheTransactionOfTheTest();
        }
    }
}
