package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.PermanentFailureException;
import dev.outbox.Topic;
import dev.outbox.spring.boot.test.AutoConfigureOutbox;
import dev.outbox.spring.boot.test.OutboxTester;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;

/** A test that has the publishers of its topics called, when it says so. */
@SpringBootTest(
        classes = Applications.Shop.class,
        properties = {"spring.datasource.generate-unique-name=true", "outbox.test.call-publishers=true"},
        webEnvironment = SpringBootTest.WebEnvironment.NONE)
@AutoConfigureOutbox
class OutboxTesterWithPublishersTest {
    @Autowired
    Applications.PlaceOrder shop;

    @Autowired
    Topic<OrderPlaced> orders;

    @Autowired
    OutboxTester outbox;

    @Autowired
    Broker broker;

    @BeforeEach
    void begin() {
        broker.mood = Broker.Mood.TAKES;
        outbox.drain();
        broker.sent.clear();
    }

    @Test
    void thePublisherIsCalled() {
        shop.place("SO-1", false);
        assertEquals(List.of(), broker.sent);
        assertEquals(1, outbox.drain());
        assertEquals(List.of("{\"orderNumber\":\"SO-1\"}"), broker.sent);
        assertEquals(List.of(new OrderPlaced("SO-1")), outbox.published(orders));
    }

    @Test
    void aBrokerThatIsAwayFailsTheTest() {
        broker.mood = Broker.Mood.IS_AWAY;
        shop.place("SO-1", false);
        AssertionError failed = assertThrows(AssertionError.class, () -> outbox.drain());
        assertTrue(failed.getCause() instanceof BrokerUnavailableException, "" + failed.getCause());
        assertEquals(List.of(new OrderPlaced("SO-1")), outbox.pending(orders));
        broker.mood = Broker.Mood.TAKES;
        assertEquals(1, outbox.drain(), "without a pause");
    }

    @Test
    void aMessageThatIsRefusedFailsTheTest() {
        broker.mood = Broker.Mood.REFUSES;
        shop.place("SO-1", false);
        AssertionError failed = assertThrows(AssertionError.class, () -> outbox.drain());
        assertTrue(failed.getCause() instanceof PermanentFailureException, "" + failed.getCause());
        assertEquals(List.of(), outbox.pending(orders), "it is a dead letter");
        assertEquals(List.of(), outbox.published(orders));
    }
}
