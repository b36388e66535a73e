package dev.outbox.store.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class TopicSetsTest {
    @Test
    void theSameTopicsShareOneAndMemoryIsBounded() {
        AtomicInteger made = new AtomicInteger();
        List<Integer> ended = new ArrayList<>();
        TopicSets<Integer> sets = new TopicSets<>(topics -> made.incrementAndGet(), ended::add);
        Set<String> mutable = new HashSet<>(Set.of("a", "b"));
        Integer first = sets.of(mutable);
        mutable.add("c");
        assertSame(first, sets.of(Set.of("b", "a")));
        assertEquals(2, sets.of(mutable));
        for (int i = 0; i < 62; i++) {
            sets.of(Set.of("t" + i));
        }
        assertEquals(64, made.get());
        assertEquals(List.of(), ended);
        sets.of(Set.of("one more"));
        assertEquals(64, ended.size());
        assertEquals(66, sets.of(Set.of("a", "b")));
    }
}
