package dev.outbox.store.support;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The causes of a failure of other people's code, whose chain may lead back to its start. */
public final class CauseChain {
    /** More than any driver wraps. */
    private static final int LONGEST = 50;

    private CauseChain() {}

    /** The failure and its causes, the outermost first, as far as they can be told. */
    public static List<Throwable> of(@Nullable Throwable failure) {
        List<Throwable> chain = new ArrayList<>();
        Throwable each = failure;
        while (each != null && chain.size() < LONGEST) {
            chain.add(each);
            try {
                each = each.getCause();
            } catch (RuntimeException e) {
                each = null;
            }
        }
        return chain;
    }
}
