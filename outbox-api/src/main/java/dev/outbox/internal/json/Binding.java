package dev.outbox.internal.json;

import java.lang.reflect.Field;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a library for JSON knows of classes and values. Safe for use by several threads. */
public interface Binding {
    /**
     * What is written of a class.
     *
     * @param fields those that belong to a property that is written
     * @param ignored names of properties that the class says are not part of it
     */
    record Properties(Set<Field> fields, Set<String> ignored) {}

    /** What is written of objects of a class. */
    Properties properties(Class<?> type);

    /** Whether an annotation says that a field is not part of the message. */
    boolean isLeftOut(Field field);

    /**
     * Makes a field readable by reflection.
     *
     * @throws IllegalArgumentException if that cannot be done
     */
    void open(Field field);

    /** The value as a tree of JSON, or null if it is none. */
    @Nullable
    Tree tree(Object value);
}
