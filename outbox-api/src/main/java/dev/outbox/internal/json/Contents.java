package dev.outbox.internal.json;

import org.jspecify.annotations.Nullable;

/** The contents of classes, each read once. Safe for use by several threads. */
public final class Contents {
    private final Binding binding;

    private final ClassValue<Content> known = new ClassValue<>() {
        @Override
        protected Content computeValue(Class<?> type) {
            return Content.read(type, binding);
        }
    };

    /** As a library for JSON has them. */
    public Contents(Binding binding) {
        this.binding = binding;
    }

    Content of(Class<?> type) {
        return known.get(type);
    }

    @Nullable
    Tree tree(Object value) {
        return binding.tree(value);
    }

    /** The first difference, or null if there is none. */
    public @Nullable Difference between(@Nullable Object written, @Nullable Object read) {
        return new Comparison(this).values(written, read, "");
    }
}
