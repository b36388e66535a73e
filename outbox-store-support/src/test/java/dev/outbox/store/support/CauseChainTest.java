package dev.outbox.store.support;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class CauseChainTest {
    @Test
    void aChainThatLeadsBackToItsStartHasAnEnd() {
        Exception inner = new Exception("inner");
        Exception outer = new Exception("outer", inner);
        assertEquals(List.of(outer, inner), CauseChain.of(outer));
        inner.initCause(outer);
        assertEquals(50, CauseChain.of(outer).size());
        assertEquals(List.of(), CauseChain.of(null));
        Exception broken = new Exception("broken") {
            private static final long serialVersionUID = 1L;

            @Override
            public synchronized Throwable getCause() {
                throw new IllegalStateException();
            }
        };
        assertEquals(List.of(broken), CauseChain.of(broken));
    }
}
