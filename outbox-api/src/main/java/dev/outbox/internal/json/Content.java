package dev.outbox.internal.json;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What objects of a class consist of, for comparing two of them.
 *
 * @param isWhole whether the fields are all there is; else there is more in classes of the platform, which {@code
 *     equals} is to compare
 * @param hasEquals whether the class says itself when two are equal
 */
record Content(List<Part> fields, boolean isWhole, boolean hasEquals) {
    /**
     * A field.
     *
     * @param isHidden whether it belongs to no property that is written: it may be a cache, if the class's equals
     *     leaves it out
     */
    record Part(Field field, boolean isHidden) {
        String name() {
            return field.getName();
        }

        @Nullable
        Object of(Object owner) {
            try {
                return field.get(owner);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e); // it was made accessible
            }
        }
    }

    static Content read(Class<?> type, Binding binding) {
        boolean hasEquals = hasEquals(type);
        if (isPlatform(type) || type.isEnum() || Enum.class.isAssignableFrom(type)) {
            return new Content(List.of(), false, hasEquals);
        }
        Binding.Properties properties = binding.properties(type);
        List<Part> parts = new ArrayList<>();
        Class<?> owner = type;
        try {
            for (; !isPlatform(owner); owner = owner.getSuperclass()) {
                for (Field field : owner.getDeclaredFields()) {
                    if (!field.isSynthetic()
                            && (field.getModifiers() & (Modifier.STATIC | Modifier.TRANSIENT)) == 0
                            && !binding.isLeftOut(field)
                            && !properties.ignored().contains(field.getName())) {
                        binding.open(field);
                        parts.add(new Part(field, !properties.fields().contains(field)));
                    }
                }
            }
        } catch (IllegalArgumentException | SecurityException e) {
            return new Content(List.of(), false, hasEquals);
        }
        return new Content(List.copyOf(parts), owner == Object.class || owner == Record.class, hasEquals);
    }

    private static boolean isPlatform(Class<?> type) {
        ClassLoader loader = type.getClassLoader();
        return loader == null || loader == ClassLoader.getPlatformClassLoader();
    }

    private static boolean hasEquals(Class<?> type) {
        try {
            return type.getMethod("equals", Object.class).getDeclaringClass() != Object.class;
        } catch (NoSuchMethodException e) {
            return false; // not of a class
        }
    }
}
