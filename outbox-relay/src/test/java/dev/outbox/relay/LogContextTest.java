package dev.outbox.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.outbox.Delivery;
import dev.outbox.Receipt;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.MDC;
import org.slf4j.helpers.BasicMDCAdapter;
import org.slf4j.spi.MDCAdapter;

/** What log lines of a publisher are told about its message. */
class LogContextTest {
    private static final Delivery<String> DELIVERY =
            new Delivery<>("text", "id-1", "orders", 7, null, Map.of(), new byte[0], 1, Instant.EPOCH);

    private final MDCAdapter before = MDC.getMDCAdapter();

    /** The logger of these tests has none. */
    @BeforeEach
    void useAnAdapterThatRemembers() throws Exception {
        use(new BasicMDCAdapter());
    }

    @AfterEach
    void useTheOneBefore() throws Exception {
        use(before);
    }

    private static void use(MDCAdapter adapter) throws Exception {
        Method set = MDC.class.getDeclaredMethod("setMDCAdapter", MDCAdapter.class);
        set.setAccessible(true);
        set.invoke(null, adapter);
    }

    private static List<@Nullable String> context() {
        return Arrays.asList(MDC.get("outbox.topic"), MDC.get("outbox.partition"), MDC.get("outbox.id"));
    }

    @Test
    void thePublisherRunsWithItAndNothingElseDoes() throws Exception {
        MDC.put("outbox.id", "of a caller");
        MDC.put("request", "r-1");
        new LogContext().around(DELIVERY, () -> {
            assertEquals(List.of("orders", "7", "id-1"), context());
            assertEquals("r-1", MDC.get("request"));
            return CompletableFuture.completedFuture(Receipt.taken());
        });
        assertEquals(Arrays.asList(null, null, "of a caller"), context());
    }

    @Test
    void aFailureTakesItAwayToo() {
        assertThrows(
                IllegalStateException.class,
                () -> new LogContext().around(DELIVERY, () -> {
                    throw new IllegalStateException("not now");
                }));
        assertEquals(Arrays.asList(null, null, null), context());
        assertNull(MDC.get(LogContext.ID));
    }

    @Test
    void anAdapterThatThrowsChangesNothing() throws Exception {
        use((MDCAdapter) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {MDCAdapter.class}, (proxy, method, arguments) -> {
                    throw new IllegalStateException("broken at " + method.getName());
                }));
        CompletionStage<Receipt> answer = CompletableFuture.completedFuture(Receipt.taken());
        assertSame(answer, new LogContext().around(DELIVERY, () -> answer));
        IllegalStateException failure = new IllegalStateException("not now");
        assertSame(
                failure,
                assertThrows(
                        IllegalStateException.class,
                        () -> new LogContext().around(DELIVERY, () -> {
                            throw failure;
                        })));
    }
}
