package dev.outbox.store.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.outbox.StoreException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(300)
class SurroundingsTest {
    private static final long LONG_AGO = System.nanoTime() - TimeUnit.MINUTES.toNanos(2);

    private final AtomicInteger asked = new AtomicInteger();
    private final AtomicReference<@Nullable String> answer = new AtomicReference<>();

    private final Surroundings<String, Exception> surroundings = new Surroundings<>(means -> {
        asked.incrementAndGet();
        return answer.get();
    });

    @Test
    void nothingIsAskedBeforeItIsTime() throws Exception {
        surroundings.require("");
        assertEquals(0, asked.get());
    }

    @Test
    void afterABadAnswerEveryCallAsksUntilItIsGood() throws Exception {
        answer.set("a switch is off: switch it on");
        assertThrows(StoreException.class, () -> surroundings.requireNow(""));
        assertThrows(StoreException.class, () -> surroundings.require(""));
        assertThrows(StoreException.class, () -> surroundings.require(""));
        assertEquals(3, asked.get());
        answer.set(null);
        surroundings.require("");
        surroundings.require("");
        assertEquals(4, asked.get());
    }

    @Test
    void whileOneThreadAsksOthersGoOn() throws Exception {
        CountDownLatch asking = new CountDownLatch(1);
        CountDownLatch answered = new CountDownLatch(1);
        AtomicInteger questions = new AtomicInteger();
        Surroundings<String, Exception> slow = new Surroundings<>(
                means -> {
                    questions.incrementAndGet();
                    asking.countDown();
                    answered.await();
                    return null;
                },
                LONG_AGO);
        CompletableFuture<@Nullable Void> first = CompletableFuture.runAsync(() -> {
            try {
                slow.require("");
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        asking.await();
        slow.require("");
        assertEquals(1, questions.get());
        answered.countDown();
        first.get(2, TimeUnit.MINUTES);
    }

    @Test
    void aQuestionThatFailsHindersNobodyAndIsAskedAgainWhenItIsTime() throws Exception {
        AtomicInteger questions = new AtomicInteger();
        Surroundings<String, Exception> broken = new Surroundings<>(
                means -> {
                    questions.incrementAndGet();
                    throw new IllegalStateException("no answer");
                },
                LONG_AGO);
        broken.require("");
        broken.require("");
        assertEquals(1, questions.get());
        assertThrows(IllegalStateException.class, () -> broken.requireNow(""));
    }

    /** What was wrong is not right because nobody can tell. */
    @Test
    void aQuestionThatFailsAfterABadAnswerIsAFailure() throws Exception {
        AtomicInteger questions = new AtomicInteger();
        Surroundings<String, Exception> broken = new Surroundings<>(
                means -> {
                    if (questions.incrementAndGet() == 1) {
                        return "a switch is off: switch it on";
                    }
                    throw new IllegalStateException("no answer");
                },
                LONG_AGO);
        assertThrows(StoreException.class, () -> broken.require(""));
        assertThrows(IllegalStateException.class, () -> broken.require(""));
        assertEquals(2, questions.get());
    }
}
