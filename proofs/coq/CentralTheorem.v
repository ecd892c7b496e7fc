(** * The central theorem: the triplet features determine the environment (SM II of the paper)

    In the limit of a sharp density and a complete basis, the feature F_jk of a tagged pair is the list of the
    neighbours as seen from that pair: labels of j and k, their Gram matrix, and for every neighbour r its
    label and its projections r.r_j, r.r_k, det(r_j, r_k, r).

    Idea.  For a non-collinear pair these projections are the coordinates of r in the orthonormal frame of
    the pair, up to factors that the Gram matrix fixes.  So the frames of two pairs with equal data give the
    rotation: coordinates from one frame are put into the other.  If every pair is collinear the environment
    lies on a line, and one tagged neighbour away from the centre measures the positions on that line. *)

Require Import Reals Lra List Permutation.
Import ListNotations.
From Symtrip Require Import Space Environments.
Open Scope R_scope.

Section Central.
Context {label : Type}.
Notation atom := (@atom label).
Notation environment := (list atom).

Definition gram (u v : vec) : R * R * R := (dot u u, dot u v, dot v v).

(** The neighbour [a] as seen from the tagged pair (u, v). *)
Definition projections (u v : vec) (a : atom) : label * (R * R * R) :=
  (fst a, (dot (snd a) u, dot (snd a) v, det u v (snd a))).

(** ** One non-collinear pair *)

(** The form of the paper: equal coordinates in the orthonormal frames e1 || r_j, e2, e3 = e1 x e2. *)
Theorem frame_coordinates_determine (X Y : environment) u v u' v' :
  ~ collinear u v -> ~ collinear u' v' -> gram u v = gram u' v' ->
  Permutation (map (move (frame u v)) X) (map (move (frame u' v')) Y) ->
  exists M, rotation M /\ app M u = u' /\ app M v = v' /\ Permutation (map (move M) X) Y.
Proof.
  intros C C' G P. pose proof (frame_rotation u v C) as F. pose proof (frame_rotation u' v' C') as F'.
  exists (mul (transpose (frame u' v')) (frame u v)). split; [|split; [|split]].
  - apply rotation_mul; trivial. apply rotation_transpose, F'.
  - assert (E : app (frame u v) u = app (frame u' v') u').
    { injection G as G1 G2 G3. rewrite !frame_coordinates. unfold norm.
      rewrite !rejection_square, G1, G2, G3
        by (eapply noncollinear_left; eassumption).
      apply vec_eq; simpl; trivial. replace (det u v u) with 0 by vec_ring.
      replace (det u' v' u') with 0 by vec_ring. trivial. }
    rewrite app_mul, E. apply orthogonal_inverse, F'.
  - assert (E : app (frame u v) v = app (frame u' v') v').
    { injection G as G1 G2 G3. rewrite !frame_coordinates. unfold norm.
      rewrite !rejection_square, (dot_comm v u), (dot_comm v' u'), G1, G2, G3
        by (eapply noncollinear_left; eassumption).
      apply vec_eq; simpl; trivial. replace (det u v v) with 0 by vec_ring.
      replace (det u' v' v') with 0 by vec_ring. trivial. }
    rewrite app_mul, E. apply orthogonal_inverse, F'.
  - rewrite map_move_mul, P, map_move_inverse; [reflexivity | apply F'].
Qed.

(** The form that needs no square root: equal projections. *)
Theorem noncollinear_pair_determines (X Y : environment) u v u' v' :
  ~ collinear u v -> gram u v = gram u' v' ->
  Permutation (map (projections u v) X) (map (projections u' v') Y) ->
  exists M, rotation M /\ app M u = u' /\ app M v = v' /\ Permutation (map (move M) X) Y.
Proof.
  intros C G P. assert (C' : ~ collinear u' v').
  { intro H. apply C, collinear_gram. apply collinear_gram in H. injection G as G1 G2 G3. congruence. }
  apply frame_coordinates_determine; trivial.
  set (c1 := / norm u). set (c2 := / norm (rejection u v)). set (q := dot u v / dot u u).
  set (read := fun d : label * (R * R * R) => match d with (l, (a, b, c)) =>
                 (l, V (c1 * a) (c2 * (b - q * a)) (c1 * c2 * c)) end).
  apply (Permutation_map read) in P. rewrite !map_map in P.
  assert (E : forall a, read (projections u v a) = move (frame u v) a).
  { intro a. unfold read, projections, move. rewrite frame_coordinates. reflexivity. }
  assert (E' : forall a, read (projections u' v' a) = move (frame u' v') a).
  { intro a. unfold read, projections, move. rewrite frame_coordinates.
    unfold c1, c2, q, norm. rewrite !rejection_square by (eapply noncollinear_left; eassumption).
    injection G as -> -> ->. reflexivity. }
  rewrite (map_ext _ _ E), (map_ext _ _ E') in P. exact P.
Qed.

(** ** An environment on a line *)

Lemma some_noncollinear u : u <> vzero -> exists w, ~ collinear u w.
Proof.
  intro H. destruct (collinear_dec u (V 1 0 0)) as [C1|C1]; [|eauto].
  destruct (collinear_dec u (V 0 1 0)) as [C2|C2]; [|eauto].
  destruct H. unfold collinear, cross, vzero in *. simpl in *.
  injection C1 as _ H2 H3. injection C2 as H4 _ H6. apply vec_eq; simpl; lra.
Qed.

Lemma frame_first u w : ~ collinear u w -> app (frame u w) u = V (norm u) 0 0.
Proof.
  intro C. pose proof (noncollinear_left _ _ C) as U. pose proof (norm_pos u U) as N.
  pose proof (dot_pos u U) as D. rewrite frame_coordinates.
  replace (det u w u) with 0 by vec_ring. rewrite (dot_comm u w).
  apply vec_eq; simpl; [| |ring].
  - rewrite <- norm_square. field. lra.
  - rewrite (dot_comm w u). replace (dot u w - dot u w / dot u u * dot u u) with 0 by (field; lra). ring.
Qed.

Lemma rotation_between u v : dot u u = dot v v -> exists M, rotation M /\ app M u = v.
Proof.
  intro E. destruct (vec_eq_dec u vzero) as [->|U].
  - exists identity. split; [apply rotation_identity|]. rewrite app_identity.
    symmetry. apply dot_zero. rewrite <- E. unfold dot, vzero; simpl; ring.
  - assert (W : v <> vzero).
    { intros ->. apply U, dot_zero. rewrite E. unfold dot, vzero; simpl; ring. }
    destruct (some_noncollinear u U) as [w C]. destruct (some_noncollinear v W) as [w' C'].
    exists (mul (transpose (frame v w')) (frame u w)). split.
    + apply rotation_mul; [apply rotation_transpose|]; apply frame_rotation; trivial.
    + assert (E' : app (frame u w) u = app (frame v w') v).
      { rewrite !frame_first by trivial. unfold norm. rewrite E. reflexivity. }
      rewrite app_mul, E'. apply orthogonal_inverse, frame_rotation, C'.
Qed.

(** On the line of u, the projection on u is the position. *)
Lemma collinear_position u x : u <> vzero -> collinear u x -> x = scale (dot x u / dot u u) u.
Proof.
  intros U C. pose proof (dot_pos u U) as D.
  assert (E : scale (dot u u) x = add (scale (dot x u) u) (cross (cross u x) u)) by vec_ring.
  rewrite C in E. transitivity (scale (/ dot u u) (scale (dot u u) x)).
  - apply vec_eq; unfold scale; simpl; field; lra.
  - rewrite E. apply vec_eq; unfold scale, add, cross, vzero; simpl; field; lra.
Qed.

Theorem collinear_environment_determined (X Y : environment) u u' :
  u <> vzero -> dot u u = dot u' u' ->
  (forall a, In a X -> collinear u (snd a)) -> (forall a, In a Y -> collinear u' (snd a)) ->
  Permutation (map (fun a => (fst a, dot (snd a) u)) X) (map (fun a => (fst a, dot (snd a) u')) Y) ->
  exists M, rotation M /\ app M u = u' /\ Permutation (map (move M) X) Y.
Proof.
  intros U E HX HY P. destruct (rotation_between u u' E) as (M & RM & HM).
  exists M. repeat (split; trivial). 
  assert (U' : u' <> vzero).
  { intros ->. apply U, dot_zero. rewrite E. unfold dot, vzero; simpl; ring. }
  apply (Permutation_map (fun d : label * R => (fst d, scale (snd d / dot u u) u'))) in P.
  rewrite !map_map in P. simpl in P.
  rewrite (map_ext_in _ (move M) X) in P.
  - rewrite (map_ext_in _ (fun a => a) Y), map_id in P; trivial.
    intros [l y] I. simpl. rewrite E. f_equal. symmetry. apply collinear_position; [trivial|].
    apply (HY _ I).
  - intros [l x] I. unfold move; simpl. f_equal. rewrite <- HM, <- app_scale. f_equal.
    symmetry. apply collinear_position; trivial. apply (HX _ I).
Qed.

(** ** All pairs together: no condition on the environment is left *)

(** The data of the tagged pair (a, b) of X are those of (a', b') of Y. *)
Definition same_pair_data (X : environment) (a b : atom) (Y : environment) (a' b' : atom) :=
  fst a = fst a' /\ fst b = fst b' /\ gram (snd a) (snd b) = gram (snd a') (snd b') /\
  Permutation (map (projections (snd a) (snd b)) X) (map (projections (snd a') (snd b')) Y).

Definition covers (X Y : environment) :=
  forall a b, In a X -> In b X -> exists a' b', In a' Y /\ In b' Y /\ same_pair_data X a b Y a' b'.

(** The multisets of pair data, over all ordered pairs j, k (j = k included), are equal. *)
Definition same_triplet_features (X Y : environment) :=
  exists Q, Permutation Q (list_prod Y Y) /\
    Forall2 (fun p q => same_pair_data X (fst p) (snd p) Y (fst q) (snd q)) (list_prod X X) Q.

Lemma noncollinear_pair_or_line (X : environment) :
  (exists a b, In a X /\ In b X /\ ~ collinear (snd a) (snd b)) \/
  (forall a b, In a X -> In b X -> collinear (snd a) (snd b)).
Proof.
  destruct (Exists_dec (fun p => ~ collinear (snd (fst p)) (snd (snd p))) (list_prod X X)) as [H|H].
  - intros [a b]; simpl. destruct (collinear_dec (snd a) (snd b)); [right | left]; tauto.
  - left. apply Exists_exists in H as ([a b] & I & C). apply in_prod_iff in I as []. eauto.
  - right. intros a b Ia Ib. destruct (collinear_dec (snd a) (snd b)) as [|C]; trivial.
    destruct H. apply Exists_exists. exists (a, b). split; trivial. apply in_prod; trivial.
Qed.

Lemma nonzero_or_all_zero (X : environment) :
  (exists a, In a X /\ snd a <> vzero) \/ (forall a, In a X -> snd a = vzero).
Proof.
  induction X as [|a X [(b & I & H)|H]]; [right; contradiction | left; exists b; simpl; auto |].
  destruct (vec_eq_dec (snd a) vzero) as [Z|Z].
  - right. intros b [<-|I]; auto.
  - left. exists a. simpl; auto.
Qed.

Lemma gram_diagonal u v w : gram u u = gram v w -> v = w.
Proof.
  intro G. injection G as G1 G2 G3.
  assert (Z : add v (scale (-1) w) = vzero).
  { apply dot_zero. transitivity (dot v v - 2 * dot v w + dot w w); [vec_ring | lra]. }
  apply vec_eq; [apply (f_equal vx) in Z | apply (f_equal vy) in Z | apply (f_equal vz) in Z];
    unfold add, scale, vzero in Z; simpl in Z; lra.
Qed.

Lemma covering_pairs_determine (X Y : environment) : covers X Y -> covers Y X -> congruent X Y.
Proof.
  intros XY YX.
  destruct (noncollinear_pair_or_line X) as [(a & b & Ia & Ib & C)|LX].
  { destruct (XY a b Ia Ib) as (a' & b' & _ & _ & _ & _ & G & P).
    destruct (noncollinear_pair_determines X Y _ _ _ _ C G P) as (M & RM & _ & _ & PM). exists M; auto. }
  destruct (noncollinear_pair_or_line Y) as [(a & b & Ia & Ib & C)|LY].
  { apply congruent_sym. destruct (YX a b Ia Ib) as (a' & b' & _ & _ & _ & _ & G & P).
    destruct (noncollinear_pair_determines Y X _ _ _ _ C G P) as (M & RM & _ & _ & PM). exists M; auto. }
  destruct (nonzero_or_all_zero X) as [(a & Ia & A)|ZX].
  - destruct (XY a a Ia Ia) as (b & c & Ib & Ic & _ & _ & G & P).
    pose proof (gram_diagonal _ _ _ G) as D. rewrite <- D in G, P.
    destruct (collinear_environment_determined X Y (snd a) (snd b)) as (M & RM & _ & PM); auto.
    + injection G; auto.
    + apply (Permutation_map (fun d : label * (R * R * R) => (fst d, fst (fst (snd d))))) in P.
      rewrite !map_map in P. exact P.
    + exists M; auto.
  - assert (ZY : forall b, In b Y -> snd b = vzero).
    { intros b Ib. destruct (YX b b Ib Ib) as (a & c & Ia & _ & _ & _ & G & _).
      apply dot_zero. injection G as G _ _. rewrite G, (ZX a Ia). unfold dot, vzero; simpl; ring. }
    assert (L : Permutation (map fst X) (map fst Y)).
    { destruct X as [|a X].
      - destruct Y as [|b Y]; trivial. destruct (YX b b (or_introl eq_refl) (or_introl eq_refl)) as (a & _ & [] & _).
      - destruct (XY a a (or_introl eq_refl) (or_introl eq_refl)) as (b & c & _ & _ & _ & _ & _ & P).
        apply (Permutation_map fst) in P. rewrite !map_map in P. exact P. }
    apply (Permutation_map (fun l => (l, vzero))) in L. rewrite !map_map in L.
    assert (E : forall W : environment, (forall w, In w W -> snd w = vzero) ->
                map (fun w => (fst w, vzero)) W = W).
    { intros W H. rewrite <- (map_id W) at 2. apply map_ext_in. intros [l w] I. rewrite <- (H _ I). reflexivity. }
    rewrite !E in L by trivial. exists identity. split; [apply rotation_identity|].
    rewrite map_move_identity. exact L.
Qed.

(** ** Completeness and invariance together: an equivalence *)

Lemma list_prod_permutation {A} (l m : list A) :
  Permutation l m -> Permutation (list_prod l l) (list_prod m m).
Proof.
  intro P. assert (L : forall k k' n : list A, Permutation k k' -> Permutation (list_prod k n) (list_prod k' n)).
  { induction 1; simpl; trivial.
    - apply Permutation_app_head; trivial.
    - rewrite !app_assoc. apply Permutation_app_tail, Permutation_app_comm.
    - etransitivity; eassumption. }
  assert (R : forall k n n' : list A, Permutation n n' -> Permutation (list_prod k n) (list_prod k n')).
  { intros k n n' Q. induction k; simpl; trivial.
    apply Permutation_app; trivial. apply Permutation_map, Q. }
  rewrite (L l m l P). apply R, P.
Qed.

Lemma list_prod_map {A B} (f : A -> B) l m :
  list_prod (map f l) (map f m) = map (fun p => (f (fst p), f (snd p))) (list_prod l m).
Proof. induction l; simpl; trivial. rewrite IHl, map_app, !map_map. reflexivity. Qed.

Lemma rotation_same_pair_data M (X : environment) a b :
  rotation M -> same_pair_data X a b (map (move M) X) (move M a) (move M b).
Proof.
  intros RM. pose proof (proj1 RM) as O. repeat split.
  - unfold gram, move; simpl. rewrite !orthogonal_dot; trivial.
  - rewrite map_map. erewrite map_ext; [reflexivity|]. intro c. unfold projections, move; simpl.
    rewrite !orthogonal_dot, rotation_det; trivial.
Qed.

Theorem triplet_features_complete (X Y : environment) : same_triplet_features X Y <-> congruent X Y.
Proof.
  split.
  - intros (Q & P & F). apply covering_pairs_determine.
    + intros a b Ia Ib. assert (I : In (a, b) (list_prod X X)) by (apply in_prod; trivial).
      assert (S : exists q, In q Q /\ same_pair_data X a b Y (fst q) (snd q)).
      { clear P Ia Ib. induction F as [|p q ps qs H F IH]; [contradiction|].
        destruct I as [->|I]; [exists q; simpl; auto|].
        destruct (IH I) as (q' & Iq & Hq). exists q'; simpl; auto. }
      destruct S as ([a' b'] & Iq & D). apply (Permutation_in _ P) in Iq.
      apply in_prod_iff in Iq as []. eauto.
    + intros a b Ia Ib. assert (I : In (a, b) Q).
      { apply (Permutation_in _ (Permutation_sym P)), in_prod; trivial. }
      assert (S : exists p, In p (list_prod X X) /\ same_pair_data X (fst p) (snd p) Y a b).
      { clear P Ia Ib. induction F as [|p q ps qs H F IH]; [contradiction|].
        destruct I as [->|I]; [exists p; simpl; auto|].
        destruct (IH I) as (p' & Ip & Hp). exists p'; simpl; auto. }
      destruct S as ([a' b'] & Ip & (L1 & L2 & G & D)). apply in_prod_iff in Ip as [Ia' Ib'].
      exists a', b'. repeat (split; auto). apply Permutation_sym, D.
  - intros (M & RM & P).
    exists (map (fun p => (move M (fst p), move M (snd p))) (list_prod X X)). split.
    + rewrite <- list_prod_map. apply list_prod_permutation, P.
    + induction (list_prod X X) as [|[a b] ps IH]; simpl; constructor; trivial.
      destruct (rotation_same_pair_data M X a b RM) as (L1 & L2 & G & D).
      repeat (split; trivial). simpl. rewrite D. apply Permutation_map, P.
Qed.
End Central.

Print Assumptions frame_coordinates_determine.
Print Assumptions noncollinear_pair_determines.
Print Assumptions collinear_environment_determined.
Print Assumptions triplet_features_complete.
