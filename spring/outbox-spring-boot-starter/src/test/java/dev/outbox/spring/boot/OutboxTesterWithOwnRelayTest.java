package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import dev.outbox.spring.OutboxRelay;
import dev.outbox.spring.SpringOutbox;
import dev.outbox.spring.boot.test.AutoConfigureOutbox;
import dev.outbox.spring.boot.test.OutboxTester;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** A test of an application that has made its relay itself. */
@SpringBootTest(
        classes = OutboxTesterWithOwnRelayTest.ShopWithRelay.class,
        properties = "spring.datasource.generate-unique-name=true",
        webEnvironment = SpringBootTest.WebEnvironment.NONE)
@AutoConfigureOutbox
class OutboxTesterWithOwnRelayTest {
    @Autowired
    Applications.PlaceOrder shop;

    @Autowired
    Topic<OrderPlaced> orders;

    @Autowired
    OutboxTester outbox;

    @Autowired
    OutboxRelay relay;

    @Test
    void theRelayDoesNotRun() {
        assertFalse(relay.isRunning());
        shop.place("SO-1", false);
        assertEquals(List.of(new OrderPlaced("SO-1")), outbox.pending(orders));
        assertEquals(1, outbox.drain());
    }

    @Configuration(proxyBeanMethods = false)
    static class ShopWithRelay extends Applications.Shop {
        @Bean
        OutboxRelay relay(SpringOutbox outbox, Store store, Topic<OrderPlaced> orders) {
            return new OutboxRelay(
                    outbox, () -> Relay.builder(store).topic(orders).build());
        }
    }
}
