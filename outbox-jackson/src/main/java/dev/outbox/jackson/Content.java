package dev.outbox.jackson;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonIgnoreType;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import com.fasterxml.jackson.databind.util.ClassUtil;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What objects of a class consist of, for comparing two of them.
 *
 * @param isWhole whether the fields are all there is; else there is more in classes of the platform, which {@code equals} is to
 *     compare
 * @param hasEquals whether the class says itself when two are equal
 */
record Content(List<Part> fields, boolean isWhole, boolean hasEquals) {
    private static final ClassValue<Content> KNOWN = new ClassValue<>() {
        @Override
        protected Content computeValue(Class<?> type) {
            return read(type);
        }
    };

    /**
     * A field.
     *
     * @param isHidden whether it belongs to no property that is written: it may be a cache, if the class's equals leaves it out
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

    static Content of(Class<?> type) {
        return KNOWN.get(type);
    }

    private static Content read(Class<?> type) {
        boolean hasEquals = hasEquals(type);
        if (isPlatform(type) || type.isEnum() || Enum.class.isAssignableFrom(type)) {
            return new Content(List.of(), false, hasEquals);
        }
        BeanDescription described =
                VerifiedJson.MAPPER.getSerializationConfig().introspect(VerifiedJson.MAPPER.constructType(type));
        Set<Object> written = new HashSet<>();
        for (BeanPropertyDefinition property : described.findProperties()) {
            if (property.couldSerialize() && property.getField() != null) {
                written.add(property.getField().getAnnotated());
            }
        }
        Set<String> ignored = new HashSet<>(described.getIgnoredPropertyNames());
        ignored.addAll(VerifiedJson.MAPPER
                .getSerializationConfig()
                .getDefaultPropertyIgnorals(type, described.getClassInfo())
                .findIgnoredForSerialization());
        List<Part> parts = new ArrayList<>();
        Class<?> owner = type;
        try {
            for (; !isPlatform(owner); owner = owner.getSuperclass()) {
                for (Field field : owner.getDeclaredFields()) {
                    if (counts(field) && !ignored.contains(field.getName())) {
                        ClassUtil.checkAndFixAccess(field, true); // by Jackson, to which the package is open
                        parts.add(new Part(field, !written.contains(field)));
                    }
                }
            }
        } catch (IllegalArgumentException | SecurityException e) {
            return new Content(List.of(), false, hasEquals);
        }
        return new Content(List.copyOf(parts), owner == Object.class || owner == Record.class, hasEquals);
    }

    private static boolean counts(Field field) {
        JsonProperty property = field.getAnnotation(JsonProperty.class);
        boolean oneWay = property != null
                && (property.access() == JsonProperty.Access.WRITE_ONLY
                        || property.access() == JsonProperty.Access.READ_ONLY);
        return !field.isSynthetic()
                && (field.getModifiers() & (Modifier.STATIC | Modifier.TRANSIENT)) == 0
                && !oneWay
                && field.getAnnotation(JsonIgnore.class) == null
                && field.getType().getAnnotation(JsonIgnoreType.class) == null;
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
